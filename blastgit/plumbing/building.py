"""Making a folder that is whole or does not count: it is built aside, and its files move when they are on disk.

The file that makes it count moves last. What a process left that died before is removed by the next one that builds
there.
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
    """Yield a folder to build in; at the end, all that is in it is in `path`, durably.

    Args:
        path: The folder that is to be; it may exist, and be empty.
        last: The entry without which nothing takes the folder for what it is to be.

    Raises:
        RepoError: Something else is there, it cannot be written, or a disk failed.
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
            with suppress(OSError):  # somebody has put something there
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
    """Remove what a dead process had built, but nothing that anybody else may have put there."""
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
    """Hold the lock of the one process that makes a data repo.

    Args:
        path: Where the repo is to be.
        lock: What is locked, a file or folder that is there.

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
