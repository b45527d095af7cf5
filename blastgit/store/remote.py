"""The files of a remote store, through DVC's own libraries: locating, listing, uploading and downloading contents.

Errors of the protocol's client are passed on; `dvc.py` translates them.
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

_PIECE = 16 * 1024 * 1024  # bytes in each part of a multipart upload
_S3_TIMEOUTS = {"connect_timeout": "10", "read_timeout": "60"}  # seconds, overridden by the options
_ALREADY_THERE, _UNKNOWN = 412, 501  # statuses of a failed write that must not replace anything
_NO_COPY = (400, 401, 403, 404, 405, _ALREADY_THERE, _UNKNOWN)  # statuses of a copy that the server cannot make
_CHANGED = ("LastModified", "last_modified", "mtime", "updated", "modified")


class RemoteFolder:
    """The folder of a remote, in DVC's layout."""

    def __init__(self, remote: Remote) -> None:
        """Open a remote like DVC, without contacting the server yet; the import takes a moment."""
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
        self.changed: dict[str, float] = {}  # when contents were stored (seconds since 1970), if known

    def in_threads(self, work: Callable[[S], T], items: Iterable[S]) -> list[T]:
        """Do `work` for each item with several threads; the first failure ends it all."""
        return in_threads(work, items, self._threads)

    def sizes(self, md5s: Collection[str]) -> Sizes:
        """Return the size of each content that exists, with as few requests as the protocol allows."""
        if self._can_list and self._is_object_store:
            return self._questions.sizes(md5s)
        folders = sorted({md5[:2] for md5 in md5s}) if self._can_list else sorted(set(md5s))
        answers = self.in_threads(self._list_folder if self._can_list else self._ask, folders)
        return {md5: size for answer in answers for md5, size in answer.items() if md5 in md5s}

    def has(self, md5: str) -> bool:
        """Whether an object store has a content, with one request that also estimates the size of the store."""
        return self._questions.has(md5)

    def _list_all(self) -> dict[str, int]:
        found = self._sizes(self._fs.fs.find(str(self._fs.join(self._root, "files")), prefix="md5/", detail=True))
        self._questions.pages = len(found) / PAGE
        return found

    def _list_keys(self, beginning: str) -> dict[str, int]:
        """List the contents whose MD5 has a prefix, in an object store with one request per thousand."""
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
        """Fail like DVC's own file systems if the protocol cannot list, so that `dvc.py` reports both alike."""
        if not self._can_list:
            raise NotImplementedError("the protocol cannot list")

    def all_sizes(self) -> Mapping[str, int]:
        """Return the size of every content.

        Raises:
            NotImplementedError: The protocol cannot list.
        """
        self._require_listings()
        if self._is_object_store:
            return self._list_all()
        answers = self.in_threads(self._list_folder, [f"{n:02x}" for n in range(256)])
        return {md5: size for answer in answers for md5, size in answer.items()}

    def files_below(self, name: str) -> dict[str, int]:
        """Return the size of each file below a folder beside `files`, by its path in the folder."""
        folder = str(self._fs.join(self._root, name))
        try:
            listing = self._fs.fs.find(folder, detail=True)
        except FileNotFoundError:
            return {}
        return {path.partition(f"{folder}/")[2]: entry["size"] for path, entry in listing.items()}

    def is_empty(self) -> bool:
        """Whether the folder of contents is empty.

        Raises:
            NotImplementedError: The protocol cannot list.
        """
        self._require_listings()
        try:
            return not self._fs.fs.ls(str(self._fs.join(self._root, "files")), detail=False)
        except FileNotFoundError:
            return True

    def read_below(self, name: str) -> dict[str, bytes]:
        """Return the small files below a folder beside `files`; none if the protocol cannot list."""
        if not self._can_list:
            return {}
        folder = str(self._fs.join(self._root, name))
        return {path: self._fs.fs.cat_file(f"{folder}/{path}") for path in self.files_below(name)}

    def write(self, path: str, data: bytes) -> None:
        """Write a small file beside `files`.

        Raises:
            NotImplementedError: The protocol cannot list, so nobody would find the file.
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
        """Delete one file with a separate request, since S3's client hides errors of bulk deletions."""
        self._fs.fs.rm_file(path)

    def forget_listings(self) -> None:
        """Drop cached listings."""
        self._fs.fs.invalidate_cache()

    def _ask(self, md5: str) -> Sizes:
        try:
            return {md5: self._fs.fs.info(self.path(md5))["size"]}
        except FileNotFoundError:
            return {}

    def path(self, md5: str) -> str:
        """Return the path of a content, whether it exists or not."""
        return self._contents(md5[:2], md5[2:])

    def _contents(self, *parts: str) -> str:
        return str(self._fs.join(self._root, "files", "md5", *parts))

    def download(self, md5: str, target: Path) -> None:
        """Download a content to a local file.

        Raises:
            FileNotFoundError: It does not exist.
        """
        gently = {"max_concurrency": 1} if self._fs.protocol == "s3" else {}  # as a stream, not in large parts
        self._fs.get_file(self.path(md5), str(target), **gently)

    def can_create(self, size: int = 0) -> bool:
        """Whether `create` is available for a file of that size."""
        return bool(self._fs.protocol == "s3") and size < 2 * _PIECE  # larger files need a multipart upload

    def create(self, source: Path, md5: str) -> bool:
        """Upload a file unless its name exists, with its MD5 checked by the server; return whether this was done.

        It is not done either if the server does not support conditional writes.
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
        """Let the server copy an object of a bucket; return whether it did, with the right MD5.

        It does not if this is not S3, the server does not have the object, or these credentials may not read it.

        Args:
            origin: The object; the server refuses to copy it if its ETag has changed.
            md5: The name of the content.
            replace: Whether to replace an existing content.
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
        """Upload a file atomically.

        Object stores guarantee this, and HTTP only has PUT. All others use a temporary name.

        Args:
            source: The file.
            md5: The name of the content.
            replace: Whether to replace a damaged content.
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
            # Somebody else uploaded the same content meanwhile, and this protocol does not replace files.
            with suppress(FileNotFoundError):
                if self._fs.fs.info(path)["size"] == size:
                    self._fs.remove(part)
                    return
            raise


def _leave_retries_to_us(s3: Any) -> None:
    """Disable the retries of botocore and s3fs: nested with ours, they would take many minutes."""
    s3.fs_args.setdefault("config_kwargs", {})["retries"] = {"total_max_attempts": 1, "mode": "standard"}
    s3.fs.retries = 1


def _when(entry: Mapping[str, Any]) -> float | None:
    """Return the modification time of a listed file; each protocol has its own key for it."""
    found = next((entry[key] for key in _CHANGED if entry.get(key) is not None), None)
    if isinstance(found, datetime):
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return float(found) if isinstance(found, int | float) else None
