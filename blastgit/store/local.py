"""A store in a local folder, written without DVC's libraries but readable by them."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from blastgit.errors import DamagedData, StoreError
from blastgit.store.base import QUARANTINE, Content, SetAside, Sizes, Store, quarantine_key, read_quarantine_key
from blastgit.store.borrowed import TREE, Borrowed, borrowed_contents, note_borrowed, tree_in_place
from blastgit.store.hashing import Checksums, chunks_of, drain

READ_ONLY = 0o444
"""The mode of every content. DVC trusts such files without hashing, so contents are complete and verified before they
get their name."""


class LocalStore(Store):
    """A store in a local folder."""

    def __init__(self, folder: Path) -> None:
        """Use the store in `folder`, which need not exist yet."""
        self.folder = folder
        self.url = str(folder)

    def object_path(self, md5: str) -> Path:
        """Return the path of a content, whether it exists or not."""
        return Path(self._name(md5))

    def _name(self, md5: str) -> str:
        """Return the same as text, ten times as fast: `put` needs it for every file of every transient."""
        return f"{self.folder}/files/md5/{md5[:2]}/{md5[2:]}"

    def local_path(self, md5: str) -> Path | None:
        """Return the path of a content, or None."""
        path = self.object_path(md5)
        return path if path.exists() else None

    @property
    def staging_root(self) -> Path:
        """A folder inside the store, so that storing a file is a rename."""
        return self.folder / "tmp"

    def put(self, staged: Path, sums: Checksums) -> None:
        """Rename a staged file to its name; an existing content stays if it is sound."""
        target = self._name(sums.md5)
        try:
            if os.path.exists(target) and self._is_sound(Path(target), sums) and _touch(Path(target)):
                staged.unlink()
                return
            _make_read_only(staged)
            self._rename(staged, target)
        except OSError as error:
            raise store_failure(self.url, error) from None

    def _rename(self, staged: Path, target: str) -> None:
        folder, name = os.path.split(target)
        try:
            try:
                os.rename(staged, target)
            except FileNotFoundError:  # the first content of its folder
                os.makedirs(folder, exist_ok=True)
                os.rename(staged, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._bring_near(staged, name).rename(target)

    def _bring_near(self, staged: Path, md5: str) -> Path:
        """Copy a staged file from another disk to this one, where a rename is atomic."""
        near = self.staging_root / f"{md5}.part"
        near.parent.mkdir(parents=True, exist_ok=True)
        near.unlink(missing_ok=True)  # of a writer that died
        shutil.copyfile(staged, near, follow_symlinks=False)
        _make_read_only(near)
        staged.unlink()
        return near

    def _is_sound(self, path: Path, sums: Checksums) -> bool:
        """Whether the content exists and is right; a damaged one counts as absent, and is replaced."""
        try:
            with path.open("rb", buffering=0) as file:
                found = drain(chunks_of(file), len)
        except FileNotFoundError:
            return False
        if found.md5 == sums.md5 and found.sha256 != sums.sha256:
            raise StoreError(f"{path} has the MD5 of another file but not its content: a collision, made on purpose")
        return found == sums

    def read(self, md5: str) -> Iterator[bytes]:
        """Yield the bytes of a content, unverified."""
        path = self.object_path(md5)
        try:
            with path.open("rb", buffering=0) as file:
                yield from chunks_of(file)
        except FileNotFoundError:
            gone = f" ({os.readlink(path)}, imported in place, is gone)" if path.is_symlink() else ""
            raise DamagedData(f"the store {self.url} lacks the content {md5}{gone}: run `blastgit verify`") from None
        except OSError as error:
            raise store_failure(self.url, error) from None

    def borrowed(self, md5s: Iterable[str]) -> Mapping[str, Sequence[Borrowed]]:
        """Return the borrowed files behind contents, by MD5."""
        with self._failures():
            return borrowed_contents(self.folder, md5s)

    @property
    def tree(self) -> Path | None:
        """The tree that was imported in place into this store; None for other stores."""
        return tree_in_place(self.folder)

    def note_tree(self, tree: Path) -> None:
        """Note that a tree was imported in place into this store.

        Raises:
            StoreError: It cannot be written.
        """
        self.write_note(TREE, f"{tree}\n".encode("utf-8", "surrogateescape"))

    def note_borrowed(self, files: Iterable[Borrowed]) -> None:
        """Note the borrowed files behind contents.

        Raises:
            StoreError: It cannot be written.
        """
        with self._failures():
            note_borrowed(self.folder, files)

    def sizes(self, md5s: Iterable[str]) -> Sizes:
        """Return the size of each of these contents that exists."""
        with self._failures():
            found = {md5: _stat(self.object_path(md5)) for md5 in md5s}
        return {md5: each.st_size for md5, each in found.items() if each is not None}

    def contents(self) -> Iterator[Content]:
        """Yield every content."""
        with self._failures():
            for folder in _entries(self.folder / "files" / "md5"):
                for entry in _entries(folder):
                    if len(folder.name + entry.name) == 32:
                        found = _stat(Path(entry))
                        if found is not None:
                            changed = entry.stat(follow_symlinks=False).st_mtime
                            yield Content(folder.name + entry.name, found.st_size, changed)

    def set_aside(self, md5: str, untouched_since: float | None = None, *, damaged: bool = False) -> bool:
        """Move a content into the quarantine; see `Store.set_aside`.

        A writer that relies on a content touches it first. If it is touched before the move, this shows in its time,
        which moves with it; after the move it cannot be touched, and the writer stores it again.
        """
        path = self.object_path(md5)
        target = self.folder / QUARANTINE / quarantine_key(md5, damaged=damaged)
        with self._failures():
            if not _is_untouched(path, untouched_since):
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                path.rename(target)
            except FileNotFoundError:
                return False
            if not _is_untouched(target, untouched_since):
                target.rename(path)
                return False
        return True

    def quarantined(self) -> Iterator[SetAside]:
        """Yield the contents in the quarantine."""
        with self._failures():
            for folder in _entries(self.folder / QUARANTINE):
                for entry in _entries(folder):
                    found = _stat(Path(entry)) or _lstat(Path(entry))
                    item = found and read_quarantine_key(f"{folder.name}/{entry.name}", found.st_size)
                    if item:
                        yield item

    def restore(self, item: SetAside) -> None:
        """Restore a content from the quarantine."""
        source, path = self.folder / QUARANTINE / item.key, self.object_path(item.md5)
        with self._failures():
            os.utime(source, follow_symlinks=False)
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                source.unlink()
            else:
                source.rename(path)
            _remove_if_empty(source.parent)

    def discard(self, item: SetAside) -> None:
        """Delete a content in the quarantine permanently."""
        with self._failures():
            path = self.folder / QUARANTINE / item.key
            path.unlink(missing_ok=True)
            _remove_if_empty(path.parent)

    def is_fresh(self) -> bool:
        """Whether the store is empty."""
        with self._failures():
            return not any(_entries(folder) for folder in _entries(self.folder / "files" / "md5"))

    def notes(self, folder: str) -> Mapping[str, bytes]:
        """Return the small files in a folder, by name."""
        with self._failures():
            return {entry.name: Path(entry).read_bytes() for entry in _entries(self.folder / folder) if entry.is_file()}

    def write_note(self, path: str, data: bytes) -> None:
        """Write a small file atomically and durably."""
        target = self.folder / path
        part = target.with_name(f".{target.name}.{os.urandom(8).hex()}")
        with self._failures():
            target.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)

    def remove_note(self, path: str) -> None:
        """Delete a small file."""
        with self._failures():
            (self.folder / path).unlink(missing_ok=True)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise store_failure(self.url, error) from None

    def synced_folders(self) -> list[Path]:
        """Return the store's own folder."""
        return [self.folder] if self.folder.exists() else []


def _touch(path: Path) -> bool:
    """Mark a content as relied on; false if it is gone, or belongs to another user and must be stored again."""
    try:
        if path.is_symlink():
            os.utime(path, follow_symlinks=False)  # its target belongs to somebody else
        else:
            os.utime(path)
    except (FileNotFoundError, PermissionError):
        return False
    return True


def _is_untouched(path: Path, since: float | None) -> bool:
    found = _lstat(path)
    return found is not None and (since is None or found.st_mtime <= since)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _lstat(path: Path) -> os.stat_result | None:
    """Return the status of a content, for a link that of the link itself, whose time shows the last use."""
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _make_read_only(path: Path) -> None:
    """Give a staged file the mode of all contents; a symbolic link to somebody else's file is left alone."""
    found = path.lstat().st_mode
    if not stat.S_ISLNK(found) and stat.S_IMODE(found) != READ_ONLY:
        path.chmod(READ_ONLY)


def _entries(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # it is not empty
        folder.rmdir()


def store_failure(url: str, error: OSError) -> StoreError:
    """Return the error to raise when a store's file system fails."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(f"no space left in the store {url}: nothing was recorded; make room and record again")
    if error.errno in (errno.EOPNOTSUPP, errno.EXDEV, errno.ENOTTY):
        return StoreError(f"the store {url} cannot share blocks or files with these: import them with --mode copy")
    return StoreError(f"the store {url} cannot be used: {error.strerror or error}")
