"""Comparison of files as plain bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastgit.content.model import Bytes, Difference
from blastgit.content.streams import identical, pairs

if TYPE_CHECKING:
    from pathlib import Path

    from blastgit.content.model import Tolerance


class Raw:
    """Any file: equal only if every byte is."""

    suffixes: frozenset[str] = frozenset()

    def probe(self, path: Path) -> str | None:
        """Nothing can be wrong with plain bytes."""
        del path
        return None

    def same(self, old: Path, new: Path, tolerance: Tolerance) -> bool:
        """Whether both files hold the same bytes."""
        del tolerance
        if old.stat().st_size != new.stat().st_size:
            return False
        with old.open("rb") as before, new.open("rb") as after:
            return identical(before, after)

    def describe(self, old: Path, new: Path, tolerance: Tolerance) -> Difference:
        """Sizes and the first differing offset."""
        del tolerance
        return Difference("bytes", raw=Bytes(old.stat().st_size, new.stat().st_size, _first(old, new)))


def _first(old: Path, new: Path) -> int | None:
    with old.open("rb") as before, new.open("rb") as after:
        for offset, one, other in pairs(before, after):
            differing = (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
            return offset + next(differing, min(len(one), len(other)))
    return None
