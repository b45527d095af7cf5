"""How long work reports: to a callback, which only the command line draws."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how much of how much (bytes or items) is done. From any thread, often."""


def silent(what: str, done: int, total: int) -> None:
    """Report to nobody."""
    del what, done, total
