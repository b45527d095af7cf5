"""How much of a server's time and memory one push may take: anyone who may push at all may push a lot."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

from blastgit.errors import Denied

if TYPE_CHECKING:
    from blastgit.repository.base import Repository

SECONDS_SETTING, BYTES_SETTING = "blastgit.pushSeconds", "blastgit.pushBytes"
"""Git's settings of a data repo, with which its owner allows another amount."""

SECONDS, BYTES = 120, 512 * 1024 * 1024

_AGAIN = 1.0  # seconds

_SPLIT = "push in smaller parts, or ask the owner of this data repo to allow more"


class _OutOfTime(BaseException):
    """The time is over. Not an `Exception`: nothing on the way may take it for a fault of what it looks at."""


@dataclass
class Budget:
    """What is left of the bytes that the check of one push may read.

    Attributes:
        left: How many more bytes it may read.
        total: How many it might read in all.
    """

    left: int = BYTES
    total: int = BYTES

    def spend(self, size: int) -> None:
        """Take bytes from what is left.

        Raises:
            Denied: It is not enough.
        """
        self.left -= size
        if self.left < 0:
            raise Denied(
                f"checking this push takes reading more than {self.total:,} bytes (git config {BYTES_SETTING}): "
                f"{_SPLIT}"
            )


@contextmanager
def limited(repo: Repository) -> Iterator[Budget]:
    """Yield the budget of bytes for checking a push, and end the check when its time is over.

    Time is limited in a process's main thread only, in which a hook runs.

    Raises:
        Denied: It took too long.
    """
    seconds, size = _setting(repo, SECONDS_SETTING, SECONDS), _setting(repo, BYTES_SETTING, BYTES)
    if threading.current_thread() is not threading.main_thread():
        yield Budget(size, size)
        return
    before = signal.signal(signal.SIGALRM, _end)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)  # Python drops what is raised while an object is cleared away
    try:
        yield Budget(size, size)
    except _OutOfTime:
        raise Denied(
            f"checking this push took longer than {seconds} s (git config {SECONDS_SETTING}): {_SPLIT}"
        ) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise _OutOfTime


def _setting(repo: Repository, key: str, default: int) -> int:
    try:
        return max(1, repo.git.config.get_int(key))
    except (KeyError, ValueError):
        return default
