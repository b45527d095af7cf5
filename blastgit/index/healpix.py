"""Compute HEALPix cells (NESTED) of positions with numpy alone: the index is updated often, and astropy loads slowly.

The sphere is divided into twelve base cells, and each into Nside x Nside cells. In the NESTED scheme, the number of a
cell is that of the base cell followed by the interleaved bits of its two coordinates (Górski et al. 2005, ApJ 622,
759).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]
_SPREAD = [(16, 0x0000FFFF0000FFFF), (8, 0x00FF00FF00FF00FF), (4, 0x0F0F0F0F0F0F0F0F),
           (2, 0x3333333333333333), (1, 0x5555555555555555)]  # fmt: skip


def cells(ra: Iterable[float | None], dec: Iterable[float | None], order: int) -> tuple[int | None, ...]:
    """Return the cell of each position; None if it is not valid (missing, not finite, a declination beyond a pole).

    Args:
        ra: Right ascensions in degrees, in any range.
        dec: Declinations in degrees.
        order: The order of the cells, at most 29; Nside is 2**order.
    """
    lon = np.array([np.nan if value is None else value for value in ra], dtype=np.float64)
    lat = np.array([np.nan if value is None else value for value in dec], dtype=np.float64)
    good = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= 90)
    found = _cells(np.mod(np.where(good, lon, 0.0), 360.0), np.where(good, lat, 0.0), order)
    return tuple(int(cell) if is_good else None for cell, is_good in zip(found, good, strict=True))


def _cells(ra: _Floats, dec: _Floats, order: int) -> _Ints:
    side = 1 << order
    z = np.sin(np.radians(dec))
    turn = ra / 90.0  # in quarter turns, 0 to 4
    is_belt = np.abs(z) <= 2 / 3
    face_b, x_b, y_b = _belt(z, turn, side)
    face_p, x_p, y_p = _cap(dec, turn, side)
    face, x, y = (np.where(is_belt, b, p) for b, p in ((face_b, face_p), (x_b, x_p), (y_b, y_p)))
    return np.asarray((face << (2 * order)) + _spread(x) + (_spread(y) << 1), dtype=np.int64)


def _belt(z: _Floats, turn: _Floats, side: int) -> tuple[_Ints, _Ints, _Ints]:
    """Return base cell, x and y in the equatorial belt, where two families of straight lines bound the cells."""
    falling = np.floor(side * (0.5 + turn - 0.75 * z)).astype(np.int64)
    rising = np.floor(side * (0.5 + turn + 0.75 * z)).astype(np.int64)
    down, up = falling // side, rising // side
    face = np.where(down == up, (down & 3) | 4, np.where(down < up, down & 3, (up & 3) + 8))
    return face, rising % side, side - 1 - falling % side


def _cap(dec: _Floats, turn: _Floats, side: int) -> tuple[_Ints, _Ints, _Ints]:
    """Return base cell, x and y in the polar caps, where rows get shorter towards the pole."""
    quarter = np.minimum(turn.astype(np.int64), 3)
    along = turn - quarter
    # side * sqrt(3 (1 - |z|)), computed from the angle to the pole, since 1 - |z| loses all digits near it
    height = side * np.sqrt(6.0) * np.sin(np.radians((90.0 - np.abs(dec)) / 2))
    one = np.minimum((along * height).astype(np.int64), side - 1)
    other = np.minimum(((1.0 - along) * height).astype(np.int64), side - 1)
    is_north = dec >= 0
    x = np.where(is_north, side - 1 - other, one)
    y = np.where(is_north, side - 1 - one, other)
    return np.where(is_north, quarter, quarter + 8), x, y


def _spread(value: _Ints) -> _Ints:
    """Insert a zero between the bits."""
    spread = value.astype(np.int64)
    for shift, mask in _SPREAD:
        spread = (spread | (spread << shift)) & mask
    return spread
