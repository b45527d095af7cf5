"""A line of the table."""

from __future__ import annotations

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
