"""Writing verified contents into a folder: in parallel, each atomically, never overwriting files that differ."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from blastgit.errors import RepoError, WouldOverwrite
from blastgit.progress import Progress, silent
from blastgit.repository.contents import checked
from blastgit.store.hashing import chunks_of

_PART = ".blastgit-part"  # an incomplete file never has its final name


@dataclass(frozen=True, slots=True)
class Item:
    """One file to write.

    Attributes:
        path: Its path in the folder.
        sha256: Its expected SHA-256.
        size: Its size in bytes.
        what: Its name for error messages.
        read: Yields its bytes, unverified.
        whose: Returns a note for error messages about the file behind the bytes, if it belongs to somebody else.
    """

    path: str
    sha256: str
    size: int
    what: str
    read: Callable[[], Iterator[bytes]]
    whose: Callable[[], str] = str

    def checked(self) -> Iterator[bytes]:
        """Yield its bytes, and raise `DamagedData` at the end if they have another SHA-256."""
        return checked(self.read(), self.sha256, self.what, self.whose)


def others_in(folder: Path, count: int) -> str:
    """Return where the files are that could be written although others are gone, as the end of a sentence; or ""."""
    return f"; {count} other {'file is' if count == 1 else 'files are'} in {folder}" if count else ""


def deliver(folder: Path, items: Sequence[Item], *, force: bool = False, progress: Progress = silent) -> list[str]:
    """Write files into a folder, and return the paths written. Files that are already right are kept, so it resumes.

    Raises:
        WouldOverwrite: A file in the way differs; nothing was written.
        DamagedData: A content is missing or wrong; the other files were written.
        RepoError: The folder cannot be written.
    """
    left = _left_to_write(folder, items, force=force)
    try:
        if items:
            folder.mkdir(parents=True, exist_ok=True)
        _write_all(folder, left, progress)
    except OSError as error:
        raise RepoError(f"{folder} cannot be written: {error.strerror}; files already written are kept") from None
    return [item.path for item in left]


def _left_to_write(folder: Path, items: Iterable[Item], *, force: bool) -> list[Item]:
    left, other = [], []
    for item in items:
        target = folder / item.path
        _check_parents(target)
        _check_no_link(folder, target)
        if not os.path.lexists(target):
            left.append(item)
        elif not target.is_file() or _sha256(target) != item.sha256:
            left.append(item)
            other.append(item.path)
    if other and not force:
        more = f" and {len(other) - 1} more" if len(other) > 1 else ""
        raise WouldOverwrite(f"{folder / other[0]}{more} would be overwritten: choose another folder, or add --force")
    return left


def _check_parents(target: Path) -> None:
    above = next(parent for parent in target.parents if os.path.lexists(parent))
    if not above.is_dir():
        raise WouldOverwrite(f"{above} is in the way of {target}: it should be a folder; move it away")


def _check_no_link(folder: Path, target: Path) -> None:
    """Check that no folder of the dataset is a link, through which files would be written elsewhere."""
    inside = target.relative_to(folder).parents
    for link in (folder / parent for parent in reversed(inside) if parent.parts):
        if link.is_symlink():
            raise WouldOverwrite(f"{link} is a link, and {target} would be written elsewhere through it: move it away")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        for chunk in chunks_of(file):
            digest.update(chunk)
    return digest.hexdigest()


def _write_all(folder: Path, items: Iterable[Item], progress: Progress) -> None:
    order = sorted(items, key=lambda item: item.size, reverse=True)  # so that no thread ends late
    done, total = 0, sum(item.size for item in order)

    def write(item: Item) -> int:
        _check_no_link(folder, folder / item.path)
        _write(folder / item.path, item.checked())
        return item.size

    with ThreadPoolExecutor(min(8, 2 * (os.cpu_count() or 1))) as pool:
        for size in pool.map(write, order):
            done += size
            progress("getting", done, total)


def _write(target: Path, chunks: Iterable[bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + _PART)
    with _alone_with(part) as file:
        try:
            file.truncate(0)  # what a killed `get` left there
            file.writelines(chunks)
            file.flush()
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        part.replace(target)


@contextmanager
def _alone_with(part: Path) -> Iterator[BinaryIO]:
    """Open a partial file exclusively, waiting for another `get` that may be writing it."""
    while True:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(part, flags, 0o666), "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(part, file):
                yield file
                return


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
