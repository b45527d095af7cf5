"""Progress reports of long work, through a callback."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called often and from any thread with the step, the amount done and the total (bytes or items)."""


def silent(what: str, done: int, total: int) -> None:
    """Ignore progress reports."""
    del what, done, total
