"""A readers-writer lock: many processes may publish at once, but deleting excludes all others.

Publishing holds a shared lock (`flock`) from when contents are relied on until refs have moved; deleting holds it
exclusively. Both first pass a second lock, the gate, so that a stream of publishers cannot starve a deleter. The kernel
releases both when the process ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from blastgit.errors import Busy, RepoError

GATE, LOCK = "publishing.gate", "publishing.turn"
"""The two lock files in each guarded folder."""

_AT_THE_GATE = 2.0  # seconds that a deleter keeps new publishers out while others finish
_PAUSE = 0.01


def stamp(folders: Iterable[Path]) -> tuple[int, ...]:
    """Return a value that changes whenever somebody deletes: while it stays the same, no contents have gone."""
    return tuple(_changed(folder / LOCK) for folder in sorted(set(folders)))


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@contextmanager
def publishing(folders: Iterable[Path]) -> Iterator[None]:
    """Prevent others from deleting in these folders; folders that this user cannot write are skipped."""
    with ExitStack() as held:
        for folder in sorted(set(folders)):
            try:
                gate, lock = _opened(folder / GATE), _opened(folder / LOCK)
            except OSError:
                continue
            held.callback(os.close, lock)
            try:
                fcntl.flock(gate, fcntl.LOCK_SH)
                fcntl.flock(lock, fcntl.LOCK_SH)
            finally:
                os.close(gate)
        yield


@contextmanager
def deleting(folders: Iterable[Path], timeout: float) -> Iterator[None]:
    """Wait for all publishers to finish, and prevent new ones from starting.

    Raises:
        Busy: They did not finish in time.
        RepoError: A folder cannot be written.
    """
    with ExitStack() as held:
        for folder in sorted(set(folders)):
            try:
                gate, lock = _opened(folder / GATE), _opened(folder / LOCK)
            except OSError as error:
                raise RepoError(f"{folder} cannot be written: {error.strerror}") from None
            held.callback(os.close, gate)
            held.callback(os.close, lock)
            _alone(gate, lock, folder, timeout)
            os.utime(lock)
        yield


def _alone(gate: int, lock: int, folder: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while True:
        at_the_gate = min(deadline, time.monotonic() + _AT_THE_GATE)
        if _take(gate, deadline) and _take(lock, at_the_gate):
            return
        fcntl.flock(gate, fcntl.LOCK_UN)
        if time.monotonic() >= deadline:
            raise Busy(f"others have been publishing contents of {folder} for more than {timeout:g} s: try again later")
        time.sleep(_PAUSE)


def _take(descriptor: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE)
        else:
            return True


def _opened(path: Path) -> int:
    """Open a lock file, which any user with read access may lock."""
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
