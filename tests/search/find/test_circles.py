"""Circles in SQL compared with vectors, for positions and radii of all kinds."""

import math
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from blastgit.index.healpix import cells
from blastgit.index.open_index import OpenIndex
from blastgit.index.write import open_to_write
from blastgit.search.sky.sql import Place, in_circle

pytest.importorskip("duckdb", reason="the extra `index` is not installed")

ORDER = 29


def points():
    """Positions everywhere, and many where it is awkward."""
    chance = random.Random(1)
    found = [(chance.uniform(0, 360), math.degrees(math.asin(chance.uniform(-1, 1)))) for _ in range(1500)]
    for ra in (0.0, 1e-7, 45.0, 90.0, 180.0, 359.9999999):
        found += [(ra, dec) for dec in (-90.0, -89.9999999, -41.8103, 0.0, 41.8103, 89.9999999, 90.0)]
    near = [(ra + chance.gauss(0, 1e-3), dec + chance.gauss(0, 1e-3)) for ra, dec in found[:300]]
    return [*found, *((ra % 360, max(-90.0, min(90.0, dec))) for ra, dec in near)]


POINTS = points()


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    path = tmp_path_factory.mktemp("circles") / "index.duckdb"
    columns = zip(*POINTS, strict=True)
    rows = [(i, *place, cell) for i, (place, cell) in enumerate(zip(POINTS, cells(*columns, ORDER), strict=True))]
    with open_to_write(path) as connection:
        connection.execute("CREATE TABLE points (id INTEGER, ra DOUBLE, dec DOUBLE, healpix BIGINT)")
        connection.executemany("INSERT INTO points VALUES (?, ?, ?, ?)", [*map(list, rows)])
    with OpenIndex(path) as opened:
        yield opened


def angle(one, other):
    a, b = ((math.cos(d) * math.cos(r), math.cos(d) * math.sin(r), math.sin(d))
            for r, d in (map(math.radians, each) for each in (one, other)))  # fmt: skip
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return math.degrees(math.atan2(math.hypot(*cross), sum(x * y for x, y in zip(a, b, strict=True))))


@given(
    place=st.one_of(st.sampled_from(POINTS), st.tuples(st.floats(0, 360), st.floats(-90, 90))),
    radius=st.one_of(
        st.floats(0, 180), st.floats(0, 0.01), st.sampled_from([0.0, 1e-9, 1 / 3600, 90.0, 179.9999, 180.0])
    ),
)
@example(place=(0.0, 90.0), radius=1e-7)
@example(place=(0.0, -90.0), radius=90.0)
@example(place=(360.0, 0.0), radius=1.0)
def test_a_circle_holds_what_is_near(index, place, radius):
    held = {
        i
        for (i,) in index.query(
            f"SELECT id FROM points WHERE {in_circle(Place('ra', 'dec', 'healpix'), *place, radius)}"
        )
    }
    apart = [angle(place, point) for point in POINTS]
    sure = {i for i, each in enumerate(apart) if each <= radius - 1e-10}
    possible = {i for i, each in enumerate(apart) if each <= radius + 1e-10}
    assert sure <= held <= possible
