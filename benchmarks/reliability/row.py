"""A row of the table, and the limits of the trials for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One row of the table: what was tried, how often, and the results."""

    what: str
    tried: int
    survived: int
    remark: str = ""

    @property
    def lost(self) -> bool:
        """Whether anything did not survive."""
        return self.survived < self.tried


def turns(count: int, minutes: float) -> Iterator[int]:
    """Yield 0, 1, … up to `count`, stopping early when the time is over.

    Args:
        count: How many at most.
        minutes: How long at most; 0 for as long as it takes.
    """
    begin = time.monotonic()
    for turn in range(count):
        if minutes and time.monotonic() - begin > 60 * minutes:
            return
        yield turn
