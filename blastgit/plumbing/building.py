"""Making a folder atomically: it is built aside, and its files are moved once they are on disk.

The file that makes the folder valid moves last. Leftovers of a process that died are removed by the next one that
builds there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blastgit.errors import Busy, RepoError
from blastgit.plumbing.durable import sync_file_systems

_ASIDE = ".unfinished"


@contextmanager
def built(path: Path, last: str) -> Iterator[Path]:
    """Yield a folder to build in; at the end, its contents are moved to `path`, durably.

    Args:
        path: The folder to make: a new or an empty one.
        last: The entry that makes the folder valid.

    Raises:
        RepoError: The folder is not empty, cannot be written, or a disk failed.
        Busy: Another process is building there.
    """
    is_new = not path.exists()
    try:
        path.mkdir(parents=True, exist_ok=True)
        with _aside(path, last) as aside:
            yield aside
            sync_file_systems([aside])
            for entry in sorted(aside.iterdir(), key=lambda each: each.name == last):
                entry.rename(path / entry.name)
        sync_file_systems([path, path.parent])
    except OSError as error:
        raise RepoError(f"{path} cannot be made: {error.strerror}") from None
    finally:
        if is_new and not (path / last).exists():
            with suppress(OSError):  # it is not empty
                path.rmdir()


@contextmanager
def _aside(path: Path, last: str) -> Iterator[Path]:
    aside = path / _ASIDE
    _remove_left(path, aside, last)
    aside.mkdir()
    with sole_maker(path, aside):
        try:
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _remove_left(path: Path, aside: Path, last: str) -> None:
    """Remove leftovers of a dead process, but nothing that somebody else may have put there."""
    there = {entry.name for entry in path.iterdir()} if path.is_dir() else {""}
    if there and (_ASIDE not in there or last in there):
        raise RepoError(f"{path} exists and is not empty: a data repo needs a folder of its own")
    if there:
        with sole_maker(path, aside):
            for name in there - {_ASIDE}:
                (path / name).rename(aside / name)
            shutil.rmtree(aside)


@contextmanager
def sole_maker(path: Path, lock: Path) -> Iterator[None]:
    """Hold the lock of the single process that makes a data repo.

    Args:
        path: The repo to make.
        lock: The existing file or folder to lock.

    Raises:
        Busy: Another process is making it.
    """
    descriptor = os.open(lock, os.O_CLOEXEC | (os.O_RDONLY if lock.is_dir() else os.O_RDWR))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Busy(f"another process is making a data repo at {path}") from None
    except OSError:  # a file system without locks
        pass
    try:
        yield
    finally:
        os.close(descriptor)
