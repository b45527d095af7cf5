"""Limits the memory that a library may allocate, since many trust the sizes stated in a damaged file."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK = threading.Lock()
_SIZE = Path("/proc/self/statm")


@contextmanager
def at_most(more: int) -> Iterator[None]:
    """Let this process ask for `more` bytes beside what it has; beyond that the system says no, and memory is an error.

    It holds for all threads, and does nothing on a system that tells no process its size.
    """
    if not _SIZE.exists():
        yield
        return
    import resource

    with _LOCK:
        before = resource.getrlimit(resource.RLIMIT_AS)
        limit = int(_SIZE.read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE") + more
        if before[0] != resource.RLIM_INFINITY:
            limit = min(limit, before[0])
        resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)
