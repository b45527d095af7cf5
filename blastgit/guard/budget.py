"""Limit the time and memory that checking one push may take: any user who may push could push a lot."""

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
"""Git settings of a data repo by which its owner changes the limits."""

SECONDS, BYTES = 120, 512 * 1024 * 1024

_AGAIN = 1.0  # seconds

_SPLIT = "push in smaller parts, or ask the owner of this data repo to allow more"


class _OutOfTime(BaseException):
    """The time is up. Not an `Exception`, so that no handler mistakes it for a fault of the pushed data."""


@dataclass
class Budget:
    """How many bytes the check of one push may still read.

    Attributes:
        left: The bytes left.
        total: The bytes at the start.
    """

    left: int = BYTES
    total: int = BYTES

    def spend(self, size: int) -> None:
        """Subtract bytes from what is left.

        Raises:
            Denied: Not enough are left.
        """
        self.left -= size
        if self.left < 0:
            raise Denied(
                f"checking this push takes reading more than {self.total:,} bytes (git config {BYTES_SETTING}): "
                f"{_SPLIT}"
            )


@contextmanager
def limited(repo: Repository) -> Iterator[Budget]:
    """Yield the budget of bytes for checking a push, and stop the check when its time is up.

    Time is limited only in the main thread of a process, where hooks run.

    Raises:
        Denied: It took too long.
    """
    seconds, size = _setting(repo, SECONDS_SETTING, SECONDS), _setting(repo, BYTES_SETTING, BYTES)
    if threading.current_thread() is not threading.main_thread():
        yield Budget(size, size)
        return
    before = signal.signal(signal.SIGALRM, _end)
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)  # again: Python drops exceptions raised in finalizers
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
