"""The cells that a circle may touch include all that it touches."""

import math
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blastgit.index.healpix import cells
from blastgit.search.sky.cells import ORDER, circle_ranges, merged
from blastgit.search.sky.sql import fewer

RA = st.one_of(st.floats(0, 360), st.sampled_from([0.0, 360.0, 45.0, 180.0, 1e-9]))
DEC = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0, math.degrees(math.asin(2 / 3)), 89.9999999]))
RADIUS = st.one_of(st.floats(0, 180), st.floats(0, 1e-3), st.sampled_from([0.0, 90.0, 180.0]))


def moved(ra, dec, bearing, distance):
    """The position so far away in some direction, all in degrees."""
    lon, lat, angle, away = map(math.radians, (ra, dec, bearing, distance))
    there = math.sin(lat) * math.cos(away) + math.cos(lat) * math.sin(away) * math.cos(angle)
    east = math.sin(angle) * math.sin(away) * math.cos(lat)
    north = math.cos(away) - math.sin(lat) * there
    return math.degrees(lon + math.atan2(east, north)) % 360, math.degrees(math.asin(max(-1, min(1, there))))


@settings(deadline=None)
@given(ra=RA, dec=DEC, radius=RADIUS, bearing=st.floats(0, 360), part=st.floats(0, 1))
@example(ra=0.0, dec=90.0, radius=1e-3, bearing=10.0, part=1.0)
@example(ra=360.0, dec=0.0, radius=1.0, bearing=90.0, part=1.0)
def test_what_lies_in_a_circle_lies_in_its_cells(ra, dec, radius, bearing, part):
    ranges = circle_ranges(ra, dec, radius)
    place = moved(ra, dec, bearing, radius * part)
    (cell,) = cells([place[0]], [place[1]], ORDER)
    assert ranges is None or any(low <= cell <= high for low, high in fewer(ranges))


@settings(max_examples=50, deadline=None)
@given(ra=RA, dec=DEC, radius=st.floats(0.01, 60))
def test_cells_are_those_of_astropy_healpix(ra, dec, radius):
    healpix = pytest.importorskip("astropy_healpix", reason="astropy-healpix is not installed")
    from astropy import units

    found = healpix.HEALPix(nside=16, order="nested").cone_search_lonlat(
        ra * units.deg, dec * units.deg, radius=radius * units.deg
    )
    centres = healpix.HEALPix(nside=16, order="nested").healpix_to_lonlat(found)
    away = [separation((ra, dec), (lon, lat)) for lon, lat in zip(*(each.deg for each in centres), strict=True)]
    ranges = circle_ranges(ra, dec, radius)
    for cell, angle in zip(found.tolist(), away, strict=True):
        touched = ranges is None or any(
            low <= (cell + 1) * 4 ** (ORDER - 4) - 1 and cell * 4 ** (ORDER - 4) <= high for low, high in ranges
        )
        assert touched or angle > radius


def separation(one, other):
    """The angle between two positions, by the haversine."""
    (a, b), (c, d) = ([math.radians(each) for each in place] for place in (one, other))
    half = math.sin((b - d) / 2) ** 2 + math.cos(b) * math.cos(d) * math.sin((a - c) / 2) ** 2
    return math.degrees(2 * math.asin(min(1, math.sqrt(half))))


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 71)), max_size=30), st.integers(1, 20))
def test_fewer_ranges_hold_the_same_cells_and_more(runs, limit):
    ranges = merged([(first, first + length) for first, length in runs], 4)
    few = fewer(ranges, limit)
    assert len(few) <= max(limit, 0) or len(ranges) <= limit
    assert all(any(a <= low and high <= b for a, b in few) for low, high in ranges)
    assert all(one[1] < other[0] for one, other in pairwise(few))
