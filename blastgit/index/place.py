"""The file of an index. It is never written to, since readers may have it open; an updated copy replaces it.

DuckDB lets either one process write a file or many read it. An update writes to a copy (a reflink if the file system
supports it, else it takes a third of a second per 500 MB) and renames it; readers keep the file that they opened. A
large file plus a small one with recent changes would avoid the copy, at the price of a union and an anti-join in every
query.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

from blastgit.errors import RepoError
from blastgit.repository.base import Repository

_FICLONE = 0x40049409


def prepare(repository: Repository, path: Path) -> None:
    """Make the folder of an index, and remove files left in it by dead writers.

    Raises:
        RepoError: The data repo cannot be written.
    """
    try:
        repository.work_folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RepoError(f"{repository.path} cannot be written: {error.strerror}") from None
    for stale in path.parent.glob(f"{path.name}.new-*"):
        if not Path(f"/proc/{stale.name.partition('-')[2].partition('.')[0]}").exists():
            stale.unlink(missing_ok=True)


@contextmanager
def replacing(path: Path, *, is_new: bool) -> Iterator[Path]:
    """Yield a file to write to, which replaces `path` if all goes well.

    Unless `is_new`, it starts as a copy of the old file.

    Raises:
        RepoError: It cannot be written.
    """
    target = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        _copy(None if is_new else path, target)
        yield target
        _take_place(target, path)
    except OSError as error:
        raise RepoError(f"the index {path} cannot be written: {error.strerror or error}") from None
    finally:
        for rest in (target, target.with_name(f"{target.name}.wal")):
            rest.unlink(missing_ok=True)


def _take_place(target: Path, path: Path) -> None:
    """Rename the file; the old one is closed in a thread, since freeing its disk space can take a while."""
    try:
        old = path.open("rb")
    except FileNotFoundError:
        target.replace(path)
        return
    target.replace(path)
    Thread(target=old.close).start()


def _copy(path: Path | None, target: Path) -> None:
    target.unlink(missing_ok=True)
    if path is None:
        return
    with path.open("rb") as source, target.open("wb") as copy, suppress(OSError):
        fcntl.ioctl(copy.fileno(), _FICLONE, source.fileno())
        return
    shutil.copyfile(path, target)
