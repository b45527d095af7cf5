"""Cover a circle with HEALPix cells (NESTED), as ranges of cells of the finest order: a filter before exact tests.

A few ranges suffice: they may cover more than the circle, since an exact test follows, but never less.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ORDER = 29
"""The order of the finest cells, whose numbers fit 62 bits."""

Ranges = tuple[tuple[int, int], ...]
"""First and last cell (inclusive) of each range of cells of the finest order, sorted."""

_CELLS = 64  # most cells to cover a circle with
_SLACK = 1e-9  # radians: far above rounding errors, far below the size of a cell that matters
_COLUMN = np.array([1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7])  # of the centre of each of the twelve base cells, in eighths
_ROW = np.array([2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])
_GATHER = [(1, 0x3333333333333333), (2, 0x0F0F0F0F0F0F0F0F), (4, 0x00FF00FF00FF00FF),
           (8, 0x0000FFFF0000FFFF), (16, 0x00000000FFFFFFFF)]  # fmt: skip

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]


@lru_cache(maxsize=64)
def circle_ranges(ra: float, dec: float, radius: float) -> Ranges | None:
    """Return the cells that a circle may touch; None if that is the whole sky.

    Args:
        ra: Right ascension of the centre in degrees.
        dec: Declination of the centre in degrees.
        radius: The radius in degrees.
    """
    centre = np.array(vector(ra, dec))
    found, order = np.arange(12, dtype=np.int64), 0
    found = _touching(found, order, centre, radius)
    while order < ORDER:
        finer = _touching((found[:, None] * 4 + np.arange(4)).ravel(), order + 1, centre, radius)
        if len(finer) > _CELLS:
            break
        found, order = finer, order + 1
    ranges = merged([(cell, cell) for cell in found.tolist()], order)
    return None if ranges == ((0, 12 * 4**ORDER - 1),) else ranges


def merged(runs: list[tuple[int, int]], order: int) -> Ranges:
    """Convert ranges of cells of some order (first and last) to the finest order, and join adjacent ones."""
    shift = 2 * (ORDER - order)
    joined: list[tuple[int, int]] = []
    for first, last in sorted(runs):
        low, high = first << shift, ((last + 1) << shift) - 1
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)


def vector(ra: float, dec: float) -> tuple[float, float, float]:
    """Return the unit vector of a position in degrees."""
    lon, lat = np.radians(ra), np.radians(dec)
    return float(np.cos(lat) * np.cos(lon)), float(np.cos(lat) * np.sin(lon)), float(np.sin(lat))


def _touching(cells: _Ints, order: int, centre: _Floats, radius: float) -> _Ints:
    reach = np.radians(radius) + _reach(order) + _SLACK
    if reach >= np.pi:
        return cells
    chord = np.linalg.norm(_centres(cells, order) - centre, axis=1)
    near: _Ints = cells[chord <= 2 * np.sin(reach / 2) + _SLACK]
    return near


def _reach(order: int) -> float:
    """Return an upper limit of the angle from the centre of a cell to its corners (Górski et al. 2005)."""
    side = 2.0**order
    lon, z_far = np.pi / (4 * side), 1 - (1 - 1 / side) ** 2 / 3
    side_far, side_near = np.sqrt(1 - z_far * z_far), np.sqrt(5) / 3
    far = np.array([side_far, 0.0, z_far])
    near = np.array([side_near * np.cos(lon), side_near * np.sin(lon), 2 / 3])
    return 2 * math.asin(min(1.0, float(np.linalg.norm(far - near)) / 2))


def _centres(cells: _Ints, order: int) -> _Floats:
    """Return the centres of cells as unit vectors."""
    side = 1 << order
    face, inside = cells >> (2 * order), cells & (side * side - 1)
    x, y = _gather(inside), _gather(inside >> 1)
    row = _ROW[face] * side - x - y - 1  # of the 4 side - 1 rows of cells, from the north
    is_north, is_south = row < side, row > 3 * side
    length = np.where(is_north, row, np.where(is_south, 4 * side - row, side)).astype(np.float64)
    cap = (length / side) ** 2 / 3
    z = np.where(is_north, 1 - cap, np.where(is_south, cap - 1, 2 / 3 * (2 - row / side)))
    across = np.where(is_north | is_south, np.sqrt(cap * (2 - cap)), np.sqrt(np.maximum(0, 1 - z * z)))
    lon = np.pi / 4 * (_COLUMN[face] + (x - y) / length)
    return np.stack([across * np.cos(lon), across * np.sin(lon), z], axis=1)


def _gather(value: _Ints) -> _Ints:
    """Extract every other bit."""
    gathered = value & 0x5555555555555555
    for shift, mask in _GATHER:
        gathered = (gathered | (gathered >> shift)) & mask
    return np.asarray(gathered, dtype=np.int64)
