"""Regions: parsing of texts and files, and what lies inside."""

import math
import random

import pytest

from blastgit.errors import InvalidInput
from blastgit.index.healpix import cells
from blastgit.search.sky.cells import vector
from blastgit.search.sky.polygon import Polygon
from blastgit.search.sky.region import Circle, Moc, load_region, read_region
from blastgit.search.sky.sql import Place

PLACE = Place("ra", "dec", "healpix")


@pytest.fixture(scope="module")
def inside():
    """Return which of some points lie in a region, by its SQL."""
    duckdb = pytest.importorskip("duckdb", reason="the extra `index` is not installed")
    connection = duckdb.connect(":memory:")
    columns = list(zip(*POINTS, strict=True))
    connection.execute("CREATE TABLE points (id INTEGER, ra DOUBLE, dec DOUBLE, healpix BIGINT)")
    rows = [(i, *place, cell) for i, (place, cell) in enumerate(zip(POINTS, cells(*columns, 29), strict=True))]
    connection.executemany("INSERT INTO points VALUES (?, ?, ?, ?)", rows)
    return lambda region: {
        i for (i,) in connection.execute(f"SELECT id FROM points WHERE {region.sql(PLACE)}").fetchall()
    }


def _points():
    chance = random.Random(2)
    found = [(chance.uniform(0, 360), math.degrees(math.asin(chance.uniform(-1, 1)))) for _ in range(2000)]
    return [*found, (0.0, 90.0), (0.0, -90.0), (0.0, 0.0), (359.9999, 0.0001), (180.0, 89.99)]


POINTS = _points()


@pytest.mark.parametrize(
    "vertices",
    [
        [(350, -20), (20, -20), (20, 30), (350, 30)],
        [(0, 70), (90, 75), (180, 70), (270, 75)],
        [(10, -70), (130, -70), (250, -70)],
        [(100, 0), (130, 40), (160, 0), (130, 10)],
        [(40, 10), (41, 10), (41, 11)],
    ],
)
def test_a_polygon_by_sql_is_that_by_vectors(inside, vertices):
    for given in (vertices, vertices[::-1], [*vertices, vertices[0]]):
        region = read_region("POLYGON ICRS " + " ".join(f"{ra} {dec}" for ra, dec in given))
        polygon = Polygon.of(vertices)
        assert inside(region) == {i for i, place in enumerate(POINTS) if polygon.holds(vector(*place))}


def test_a_polygon_over_the_pole_holds_it(inside):
    assert POINTS.index((0.0, 90.0)) in inside(read_region("polygon 0 70, 120 70, 240 70"))
    assert POINTS.index((0.0, -90.0)) in inside(read_region("POLYGON ICRS 10 -70 130 -70 250 -70"))


def test_a_moc_holds_its_cells(inside):
    numbers = cells(*zip(*POINTS, strict=True), 29)
    region = read_region("s0/3 1/20-22,40 2/")
    wanted = {i for i, cell in enumerate(numbers) if cell >> 58 == 3 or cell >> 56 in (20, 21, 22, 40)}
    assert inside(region) == wanted
    assert inside(read_region('{"0": [3], "1": [20, 21, 22, 40]}')) == wanted
    many = {i for i, cell in enumerate(numbers) if (cell >> 50) % 3 == 0}
    assert inside(read_region("4/" + ",".join(map(str, range(0, 12 * 4**4, 3))))) == many


def test_a_circle(inside):
    assert read_region("circle icrs 150, 2, 0.5") == Circle(150.0, 2.0, 0.5)
    assert read_region("CIRCLE 10:00:00 -02:30:00 30arcmin") == Circle(150.0, -2.5, 0.5)
    assert POINTS.index((359.9999, 0.0001)) in inside(read_region("CIRCLE 0 0 0.01"))


def test_a_moc_as_fits(inside, tmp_path):
    fits = pytest.importorskip("astropy.io.fits", reason="astropy is not installed")
    import numpy as np

    wanted = read_region("1/20-22,40")
    unique = np.array([4 * 4 + cell for cell in (20, 21, 22, 40)], dtype=">i8")
    table = fits.BinTableHDU.from_columns([fits.Column("UNIQ", "K", array=unique)])
    table.header.update(ORDERING="NUNIQ", COORDSYS="C", MOCDIM="SPACE")
    table.writeto(tmp_path / "unique.fits")
    assert load_region(tmp_path / "unique.fits") == wanted
    ends = np.array([each for first, last in wanted.ranges for each in (first, last + 1)], dtype=">i8")
    table = fits.BinTableHDU.from_columns([fits.Column("RANGE", "K", array=ends)])
    table.header.update(ORDERING="RANGE", COORDSYS="C", MOCDIM="SPACE")
    table.writeto(tmp_path / "range.fits")
    assert load_region(tmp_path / "range.fits") == wanted
    table.header["MOCDIM"] = "TIME"
    table.writeto(tmp_path / "time.fits")
    (tmp_path / "not.fits").write_bytes(b"SIMPLE  = T")
    (tmp_path / "not.txt").write_bytes(b"\xff")
    for name in ("time.fits", "not.fits", "not.txt", "missing"):
        with pytest.raises(InvalidInput):
            load_region(tmp_path / name)
    for number, (ordering, values) in enumerate(
        [("RANGE", ends[:-1]), ("NUNIQ", [1]), ("NUNIQ", [-5]), ("NUNIQ", [20.0]), ("RANGE", [[1.5, 2.5]])]
    ):
        column = fits.Column("CELLS", "D" if isinstance(np.ravel(values)[0], float) else "K", array=np.ravel(values))
        table = fits.BinTableHDU.from_columns([column])
        table.header.update(ORDERING=ordering, COORDSYS="C")
        table.writeto(tmp_path / f"damaged{number}.fits")
        with pytest.raises(InvalidInput, match=r"not a MOC, or it is damaged|a MOC has cells of orders|are not cells"):
            load_region(tmp_path / f"damaged{number}.fits")


def test_cells_that_meet_are_joined():
    assert read_region("1/0-3") == read_region("0/0")
    assert isinstance(read_region("0/0"), Moc)
    assert read_region("29/3 29/2 28/1").ranges == ((2, 7),)


@pytest.mark.parametrize(
    "text",
    ["", "x", "POLYGON", "POLYGON ICRS", "POLYGON 1", "CIRCLE", "POLYGON GALACTIC 1 1 2 2 3 3", "POLYGON 0 0 0 0 0 0",
     "POLYGON 0 0 1 1 2 2 inf 3", "POLYGON 0 0 120 0 240 0", "6/", "6/a", "-1/3", "6/1--2", "{", "{}x", "[1]",
     '{"a": [1]}', '{"6": [-1]}', "POLYGON " + "1 1 " * 501, "{" * 100_000],
)  # fmt: skip
def test_what_is_no_region(text):
    if text == "6/":
        assert read_region(text) == Moc(())
        return
    with pytest.raises(InvalidInput):
        read_region(text)
