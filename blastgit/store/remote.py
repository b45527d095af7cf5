"""A remote store's files through DVC's own libraries: where a content lies, which are there, up and down.

Errors are passed on as the protocol's client raises them; `dvc.py` puts them into words.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from blastgit.store.base import Sizes
from blastgit.store.config import Remote
from blastgit.store.failures import http_status
from blastgit.store.questions import PAGE, THREADS, Questions, in_threads
from blastgit.store.source import Origin

T = TypeVar("T")
S = TypeVar("S")

_PIECE = 16 * 1024 * 1024  # bytes that an upload in pieces holds at once
_S3_TIMEOUTS = {"connect_timeout": "10", "read_timeout": "60"}  # seconds, unless the options say otherwise
_ALREADY_THERE, _UNKNOWN = 412, 501  # what a server says to a write that may replace nothing
_NO_COPY = (400, 401, 403, 404, 405, _ALREADY_THERE, _UNKNOWN)  # what it says to a copy that it cannot make
_CHANGED = ("LastModified", "last_modified", "mtime", "updated", "modified")


class RemoteFolder:
    """The folder of a remote, in DVC's layout."""

    def __init__(self, remote: Remote) -> None:
        """Open a remote the way DVC does. Nothing is asked of the server yet; the import takes a moment."""
        from dvc.fs import get_cloud_fs
        from dvc_objects.fs.base import ObjectFileSystem

        defaults = _S3_TIMEOUTS if remote.url.startswith("s3:") else {}
        kind, options, root = get_cloud_fs({}, **{**defaults, **remote.options, "url": remote.url})
        self._fs: Any = kind(**options)
        if self._fs.protocol == "s3":
            _leave_retries_to_us(self._fs)
        self._root = root
        self._is_object_store = isinstance(self._fs, ObjectFileSystem)
        self._can_list = bool(self._fs.CAN_TRAVERSE)
        self._threads = int(options.get("jobs") or THREADS)
        self._no_copies_from: set[str] = set()
        self._questions = Questions(self._list_keys, self._threads)
        self.changed: dict[str, float] = {}  # when contents were brought (seconds since 1970), as far as was told

    def in_threads(self, work: Callable[[S], T], items: Iterable[S]) -> list[T]:
        """Do `work` for each item, a few at a time; the first failure ends it all."""
        return in_threads(work, items, self._threads)

    def sizes(self, md5s: Collection[str]) -> Sizes:
        """Return the size of each content that is there, asking as few questions as the protocol allows."""
        if self._can_list and self._is_object_store:
            return self._questions.sizes(md5s)
        folders = sorted({md5[:2] for md5 in md5s}) if self._can_list else sorted(set(md5s))
        answers = self.in_threads(self._list_folder if self._can_list else self._ask, folders)
        return {md5: size for answer in answers for md5, size in answer.items() if md5 in md5s}

    def has(self, md5: str) -> bool:
        """Whether an object store has a content, by one question that also tells how large the store is."""
        return self._questions.has(md5)

    def _list_all(self) -> dict[str, int]:
        found = self._sizes(self._fs.fs.find(str(self._fs.join(self._root, "files")), prefix="md5/", detail=True))
        self._questions.pages = len(found) / PAGE
        return found

    def _list_keys(self, beginning: str) -> dict[str, int]:
        """List the contents whose MD5 begins so; in an object store that is one question for each thousand."""
        if not beginning:
            return self._list_all()
        return self._sizes(self._fs.fs.find(self._contents(beginning[:2]), prefix=beginning[2:], detail=True))

    def _list_folder(self, name: str) -> dict[str, int]:
        try:
            entries = self._fs.fs.ls(self._contents(name), detail=True)
        except FileNotFoundError:
            return {}
        return self._sizes({entry["name"]: entry for entry in entries})

    def _sizes(self, listing: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
        found = {"".join(name.rstrip("/").split("/")[-2:]): entry for name, entry in listing.items()}
        contents = {md5: entry for md5, entry in found.items() if len(md5) == 32 and entry["type"] == "file"}
        self.changed.update({md5: when for md5, entry in contents.items() if (when := _when(entry)) is not None})
        return {md5: entry["size"] for md5, entry in contents.items()}

    def _require_listings(self) -> None:
        """Fail as DVC's own file systems do at what their protocol lacks: `dvc.py` puts both into the same words."""
        if not self._can_list:
            raise NotImplementedError("the protocol has no listings")

    def all_sizes(self) -> Mapping[str, int]:
        """Return the size of every content.

        Raises:
            NotImplementedError: The protocol has no listings.
        """
        self._require_listings()
        if self._is_object_store:
            return self._list_all()
        answers = self.in_threads(self._list_folder, [f"{n:02x}" for n in range(256)])
        return {md5: size for answer in answers for md5, size in answer.items()}

    def files_below(self, name: str) -> dict[str, int]:
        """Return the size of each file below a folder beside `files`, by its path from there."""
        folder = str(self._fs.join(self._root, name))
        try:
            listing = self._fs.fs.find(folder, detail=True)
        except FileNotFoundError:
            return {}
        return {path.partition(f"{folder}/")[2]: entry["size"] for path, entry in listing.items()}

    def is_empty(self) -> bool:
        """Whether nothing lies below the folder of contents.

        Raises:
            NotImplementedError: The protocol has no listings.
        """
        self._require_listings()
        try:
            return not self._fs.fs.ls(str(self._fs.join(self._root, "files")), detail=False)
        except FileNotFoundError:
            return True

    def read_below(self, name: str) -> dict[str, bytes]:
        """Return the small files below a folder beside `files`; none where the protocol has no listings."""
        if not self._can_list:
            return {}
        folder = str(self._fs.join(self._root, name))
        return {path: self._fs.fs.cat_file(f"{folder}/{path}") for path in self.files_below(name)}

    def write(self, path: str, data: bytes) -> None:
        """Write a small file beside `files`.

        Raises:
            NotImplementedError: The protocol has no listings, so nobody would find it.
        """
        self._require_listings()
        target = str(self._fs.join(self._root, *path.split("/")))
        if not self._is_object_store:
            self._fs.makedirs(self._fs.parent(target))
        self._fs.fs.pipe_file(target, data)

    def move(self, old: str, new: str) -> None:
        """Move a file to another path of the store.

        Raises:
            FileNotFoundError: It does not exist.
        """
        source, target = (str(self._fs.join(self._root, *path.split("/"))) for path in (old, new))
        self._fs.fs.info(source)
        if self._is_object_store:
            self._fs.fs.cp_file(source, target)
            self._delete(source)
        else:
            self._fs.makedirs(self._fs.parent(target))
            self._fs.move(source, target)

    def remove(self, path: str) -> None:
        """Delete a file of the store."""
        self._delete(str(self._fs.join(self._root, *path.split("/"))))

    def _delete(self, path: str) -> None:
        """Delete one file by a request of its own: of several at once, S3's client does not say what was denied."""
        self._fs.fs.rm_file(path)

    def forget_listings(self) -> None:
        """Ask the server again, whatever it answered before."""
        self._fs.fs.invalidate_cache()

    def _ask(self, md5: str) -> Sizes:
        try:
            return {md5: self._fs.fs.info(self.path(md5))["size"]}
        except FileNotFoundError:
            return {}

    def path(self, md5: str) -> str:
        """Return where a content lies, or would."""
        return self._contents(md5[:2], md5[2:])

    def _contents(self, *parts: str) -> str:
        return str(self._fs.join(self._root, "files", "md5", *parts))

    def download(self, md5: str, target: Path) -> None:
        """Copy a content to a file of this machine.

        Raises:
            FileNotFoundError: It does not exist.
        """
        gently = {"max_concurrency": 1} if self._fs.protocol == "s3" else {}  # in a stream, not in large pieces
        self._fs.get_file(self.path(md5), str(target), **gently)

    def can_create(self, size: int = 0) -> bool:
        """Whether `create` is at hand, for a file of that size."""
        return bool(self._fs.protocol == "s3") and size < 2 * _PIECE  # larger ones go up in pieces

    def create(self, source: Path, md5: str) -> bool:
        """Copy a file to its name unless something is there, and have the server check its MD5; whether that was done.

        It is not done either if the server says that it cannot write on such a condition.
        """
        conditions = {"IfNoneMatch": "*", "ContentMD5": base64.b64encode(bytes.fromhex(md5)).decode()}
        try:
            self._fs.put_file(str(source), self.path(md5), chunksize=_PIECE, **conditions)
        except Exception as error:
            if http_status(error) in (_ALREADY_THERE, _UNKNOWN):
                return False
            raise
        return True

    def copy(self, origin: Origin, md5: str, *, replace: bool) -> bool:
        """Have the server copy an object of a bucket to its name; whether it did, and states the MD5 that is meant.

        It does not if this is no S3, the server does not know the object, or these credentials may not read it.

        Args:
            origin: The object, as it was when its MD5 was taken; the server refuses to copy another.
            md5: Its name.
            replace: Whether something may be there under that name.
        """
        if self._fs.protocol != "s3" or origin.bucket in self._no_copies_from:
            return False
        s3 = self._fs.fs
        bucket, key, _ = s3.split_path(self.path(md5))
        source = {"Bucket": origin.bucket, "Key": origin.key}
        conditions = {"CopySourceIfMatch": origin.etag} | ({} if replace else {"IfNoneMatch": "*"})
        try:
            answer = s3.call_s3("copy_object", Bucket=bucket, Key=key, CopySource=source, **conditions)
        except Exception as error:
            status = http_status(error)
            if status not in _NO_COPY:
                raise
            if status != _ALREADY_THERE:
                self._no_copies_from.add(origin.bucket)
            return False
        s3.invalidate_cache(self.path(md5))
        return str(answer["CopyObjectResult"]["ETag"]).strip('"') == md5

    def upload(self, source: Path, md5: str, *, replace: bool) -> None:
        """Copy a file to its name, where it appears whole or not at all.

        An object store sees to that by itself, and HTTP has nothing but a PUT. Elsewhere it goes by a temporary name.

        Args:
            source: The file.
            md5: Its name.
            replace: Whether something damaged is there under that name.
        """
        path = self.path(md5)
        if self._is_object_store or not self._can_list:
            gently = {"chunksize": _PIECE, "max_concurrency": 1} if self._fs.protocol == "s3" else {}
            self._fs.put_file(str(source), path, **gently)
            return
        part = str(self._fs.join(self._root, "tmp", f"{md5}.{uuid.uuid4().hex}"))
        size = source.stat().st_size
        try:
            self._fs.makedirs(self._fs.parent(part))
            self._fs.put_file(str(source), part)
            if self._fs.fs.info(part)["size"] != size:
                raise ConnectionError(f"only a part of {source.name} arrived")
            self._fs.makedirs(self._fs.parent(path))
            if replace:
                self._fs.remove(path)
            self._move(part, path, size)
        except BaseException:
            with suppress(Exception):
                self._fs.remove(part)
            raise

    def _move(self, part: str, path: str, size: int) -> None:
        try:
            self._fs.move(part, path)
        except Exception:
            # Somebody else brought the same content meanwhile, and this protocol does not move onto a file.
            with suppress(FileNotFoundError):
                if self._fs.fs.info(path)["size"] == size:
                    self._fs.remove(part)
                    return
            raise


def _leave_retries_to_us(s3: Any) -> None:
    """Have botocore and s3fs try once: five tries of each, within each other and within ours, take many minutes."""
    s3.fs_args.setdefault("config_kwargs", {})["retries"] = {"total_max_attempts": 1, "mode": "standard"}
    s3.fs.retries = 1


def _when(entry: Mapping[str, Any]) -> float | None:
    """Return when a listed file was last changed; each protocol has its own word for that."""
    found = next((entry[key] for key in _CHANGED if entry.get(key) is not None), None)
    if isinstance(found, datetime):
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return float(found) if isinstance(found, int | float) else None
