"""Keeping a transient's lock from the check of a push until git has moved the refs, which is after the hook ends."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from blastgit.errors import RepoError

_LONGEST = 600.0  # seconds; a push has moved its refs long before, or never will
_PAUSE = 0.005
_STDERR = 2
_GONE = "the git that received this push has ended, so nothing of it is taken in"


class Receiver:
    """The git that started this hook, and that moves the refs when the hook has ended."""

    def __init__(self, started_by: int | None = None) -> None:
        """Find it.

        Args:
            started_by: The parent of the hook's script, if that told it.

        Raises:
            RepoError: It has ended already, so that the process is somebody else's now.
        """
        self._pid = os.getppid()
        self._descriptor: int | None = None
        with suppress(AttributeError, OSError):  # not Linux, or another account's
            self._descriptor = os.pidfd_open(self._pid)  # a process id may be given again, this may not
        if started_by not in (None, self._pid):
            raise RepoError(_GONE)
        self.check()

    def check(self) -> None:
        """See that it is there to move the refs.

        Raises:
            RepoError: It has ended: this process has another parent now, or nobody reads what it says.
        """
        if os.getppid() != self._pid or self.has_ended() or _is_unread(_STDERR):
            raise RepoError(_GONE)

    def has_ended(self) -> bool:
        """Whether it has ended; its refs have moved, or never will."""
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
        """End the caller's process with success, and go on in a child of it until the refs have moved, or never will.

        What the caller holds (`flock` is shared with a child) stays held meanwhile. The child has no ties to whoever
        waits for the caller's output. Without it, two pushes that were both found good could each win one ref: a branch
        of one and a tag of the other.

        Args:
            has_moved: Whether all refs are where the push has them. Not every server ends a process with a push.

        Raises:
            RepoError: Nobody is there to move them.
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
    """Whether a descriptor is a pipe that nobody reads: git reads what its hook says for as long as it lives."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(state & select.POLLERR for _, state in poll.poll(0))
