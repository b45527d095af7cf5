"""Hold a transient's lock after the hook has ended, until git has moved the refs of the push."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from blastgit.errors import RepoError

_LONGEST = 600.0  # seconds; by then a push has moved its refs, or never will
_PAUSE = 0.005
_STDERR = 2
_GONE = "the git that received this push has ended, so nothing of it is taken in"


class Receiver:
    """The git process that started this hook, and moves the refs after the hook has ended."""

    def __init__(self, started_by: int | None = None) -> None:
        """Find the process.

        Args:
            started_by: The parent's id as reported by the hook's script, if it did.

        Raises:
            RepoError: It has already ended.
        """
        self._pid = os.getppid()
        self._descriptor: int | None = None
        with suppress(AttributeError, OSError):  # not Linux, or another account's
            self._descriptor = os.pidfd_open(self._pid)  # unlike a process id, it is never reused
        if started_by not in (None, self._pid):
            raise RepoError(_GONE)
        self.check()

    def check(self) -> None:
        """Check that the process is there to move the refs.

        Raises:
            RepoError: It has ended: this process has another parent now, or nobody reads its output.
        """
        if os.getppid() != self._pid or self.has_ended() or _is_unread(_STDERR):
            raise RepoError(_GONE)

    def has_ended(self) -> bool:
        """Whether the process has ended, so that its refs have moved or never will."""
        if self._descriptor is not None:
            return bool(select.select([self._descriptor], [], [], 0)[0])
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    def hold_locks_until_exit(self, has_moved: Callable[[], bool]) -> None:
        """Exit the caller's process with success, and continue in a child until the refs have moved, or never will.

        The caller's locks stay held meanwhile (`flock` is shared with a child). The child is detached from the caller's
        output. Without it, two pushes that both passed the check could each win one ref: the branch of one and the tag
        of the other.

        Args:
            has_moved: Whether all refs have moved. Needed because not every server ends its process after a push.

        Raises:
            RepoError: The process that would move them has ended.
        """
        self.check()
        sys.stdout.flush()
        sys.stderr.flush()
        if os.fork():
            os._exit(0)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nowhere, descriptor)
        deadline = time.monotonic() + _LONGEST
        while not self.has_ended() and not has_moved() and time.monotonic() < deadline:
            time.sleep(_PAUSE)


def _is_unread(descriptor: int) -> bool:
    """Whether a descriptor is a pipe that nobody reads: git reads the output of its hook as long as it lives."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(state & select.POLLERR for _, state in poll.poll(0))
