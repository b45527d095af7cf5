"""Keeping a transient's lock from the check of a push until git has moved the refs, which is after the hook ends."""

from __future__ import annotations

import os
import sys
import time

_LONGEST = 600.0  # seconds; a push has moved its refs long before, or never will
_PAUSE = 0.005


def hold_locks_until_exit(process: int) -> None:
    """End the caller's process with success, and go on in a child of it until `process` has ended.

    What the caller holds (`flock` is shared with a child) stays held meanwhile. The child has no ties to whoever waits
    for the caller's output. Without it, two pushes that were both found good could each win one ref: a branch of one
    and a tag of the other.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork():
        os._exit(0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nowhere, descriptor)
    deadline = time.monotonic() + _LONGEST
    while _is_alive(process) and time.monotonic() < deadline:
        time.sleep(_PAUSE)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
