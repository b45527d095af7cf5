"""Counting how the elements of an array changed, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from blastgit.content.model import Numbers
from blastgit.content.tolerance import changed, magnitudes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from blastgit.content.model import Bounds, Search

SAMPLE = 1_000_000


class ChangeStatistics:
    """Running statistics of changes.

    The median is that of the first million changes, which bounds the memory; everything else is exact.
    """

    def __init__(self, search: Search, bounds: Bounds) -> None:
        """Start at nothing; a search that is not thorough counts changes, and does not measure them."""
        self._bounds = bounds
        self._measures = search.thorough
        self.changed = 0
        self._undefined = 0
        self._largest: float | None = None
        self._largest_relative: float | None = None
        self._sample: list[NDArray[np.float64]] = []
        self._room = SAMPLE

    def add(self, old: NDArray[Any], new: NDArray[Any]) -> None:
        """Take a pair of pieces of equal shape and type into account."""
        if not old.dtype.hasobject and old.dtype == new.dtype and old.tobytes() == new.tobytes():
            return  # the usual case, and many times as fast
        count = int(np.count_nonzero(changed(old, new, self._bounds)))
        self.changed += count
        if not count or not self._measures:
            return
        for absolute, relative in magnitudes(old, new, self._bounds):
            finite = np.isfinite(absolute)
            self._undefined += int(finite.size - np.count_nonzero(finite))
            if finite.any():
                self._add(absolute[finite], relative[finite])

    def _add(self, absolute: NDArray[np.float64], relative: NDArray[np.float64]) -> None:
        self._largest = max(self._largest or 0.0, float(absolute.max()))
        self._largest_relative = max(self._largest_relative or 0.0, float(relative.max()))
        if self._room:
            self._sample.append(absolute[: self._room].copy())
            self._room -= self._sample[-1].size

    def numbers(self, unit: str, total: int) -> Numbers:
        """The statistics so far, for ``total`` elements called ``unit``."""
        median = _median(np.concatenate(self._sample)) if self._sample else None
        return Numbers(
            unit, self.changed, total, self._largest, median, self._largest_relative, undefined=self._undefined
        )


def _median(values: NDArray[np.float64]) -> float:
    """Return the median of finite values; that of numpy loads masked arrays, which takes longer than a small diff."""
    middle = values.size // 2
    parted = np.partition(values, middle)
    upper = float(parted[middle])
    return upper if values.size % 2 else (float(parted[:middle].max()) + upper) / 2


def compare(
    pieces: Iterable[tuple[NDArray[Any], NDArray[Any]]], search: Search, bounds: Bounds, *, unit: str, total: int
) -> Numbers | None:
    """Numbers of the changes in pairs of pieces, None if all agree.

    Args:
        pieces: pairs of arrays of equal shape and type.
        search: whether to look at all pieces or stop at the first that differs.
        bounds: how far apart floats may be.
        unit: what an element is called.
        total: elements in the whole array.
    """
    tally = ChangeStatistics(search, bounds)
    for old, new in pieces:
        tally.add(old, new)
        if tally.changed and not search.thorough:
            break
    return tally.numbers(unit, total) if tally.changed else None
