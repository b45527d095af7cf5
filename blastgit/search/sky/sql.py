"""Tests of positions as expressions in DuckDB's SQL: separations that are accurate everywhere, and prefilters.

The separation is twice the arc tangent of two roots of sums of squares. Nothing cancels, neither for positions that are
close together nor at the poles, across right ascension 0, or for opposite positions.
"""

from __future__ import annotations

from dataclasses import dataclass

from blastgit.search.sky.cells import Ranges, circle_ranges

_RANGES = 20  # more are joined, since each costs time for every row
_MARGIN = 1e-9  # degrees


@dataclass(frozen=True)
class Place:
    """A position in SQL.

    Attributes:
        ra: The expression of its right ascension in degrees.
        dec: The expression of its declination in degrees.
        healpix: The expression of its HEALPix cell of order 29, NESTED; "" if there is none.
    """

    ra: str
    dec: str
    healpix: str = ""


def separation(one: Place, other: Place) -> str:
    """Return the SQL of the angle between two positions in degrees."""
    lon = f"(radians(({one.ra}) - ({other.ra})) / 2)"
    minus, plus = (f"(radians(({one.dec}) {sign} ({other.dec})) / 2)" for sign in "-+")
    near = f"pow(cos({lon}) * sin({minus}), 2) + pow(sin({lon}) * cos({plus}), 2)"
    far = f"pow(cos({lon}) * cos({minus}), 2) + pow(sin({lon}) * sin({plus}), 2)"
    return f"degrees(2 * atan2(sqrt({near}), sqrt({far})))"


def in_circle(place: Place, ra: float, dec: float, radius: float) -> str:
    """Return the SQL for whether a position is in a circle or on its border."""
    exact = f"({separation(place, Place(repr(ra), repr(dec)))} <= {radius!r})"
    return " AND ".join([*prefilter(place, ra, dec, radius), exact])


def prefilter(place: Place, ra: float, dec: float, radius: float) -> list[str]:
    """Return cheap conditions that all positions in a circle fulfil, and few others."""
    low, high = dec - radius - _MARGIN, dec + radius + _MARGIN
    conditions = []
    if low > -90 or high < 90:
        conditions.append(f"({place.dec}) BETWEEN {low!r} AND {high!r}")
    ranges = circle_ranges(ra, dec, radius) if place.healpix else None
    if ranges is not None:
        conditions.append(in_ranges(place.healpix, fewer(ranges)))
    return conditions


def in_ranges(healpix: str, ranges: Ranges) -> str:
    """Return the SQL for whether a cell is in one of a few ranges."""
    if not ranges:
        return "false"
    return f"({' OR '.join(f'{healpix} BETWEEN {low} AND {high}' for low, high in ranges)})"


def fewer(ranges: Ranges, limit: int = _RANGES) -> Ranges:
    """Return at most `limit` ranges that cover the given ones, by closing the smallest gaps."""
    if len(ranges) <= limit:
        return ranges
    gaps = sorted(range(1, len(ranges)), key=lambda at: ranges[at - 1][1] - ranges[at][0])
    starts = [0, *sorted(gaps[: limit - 1])]
    ends = [*starts[1:], len(ranges)]
    return tuple((ranges[start][0], ranges[end - 1][1]) for start, end in zip(starts, ends, strict=True))
