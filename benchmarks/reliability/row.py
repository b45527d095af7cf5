"""A line of the table, and how long may be tried for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table: what was tried, how often, and what came of it."""

    what: str
    tried: int
    survived: int
    remark: str = ""

    @property
    def lost(self) -> bool:
        """Whether anything did not survive."""
        return self.survived < self.tried


def turns(count: int, minutes: float) -> Iterator[int]:
    """Yield 0, 1, … up to `count`, and stop before that when the time is over.

    Args:
        count: How many at most.
        minutes: How long at most; 0 for as long as it takes.
    """
    begin = time.monotonic()
    for turn in range(count):
        if minutes and time.monotonic() - begin > 60 * minutes:
            return
        yield turn
