"""Regions in ADQL compared with astropy, vectors and brute force."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from blastgit.errors import InvalidQuery
from blastgit.search.adql import translate
from blastgit.search.sky.cells import vector
from blastgit.search.sky.polygon import Polygon

EDGE = 1e-9  # degrees: who is so near to a border may be on either side

RA = st.one_of(st.floats(0, 360), st.sampled_from([0.0, 360.0, 180.0, 1e-7]))
DEC = st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0, 0.0]))
RADIUS = st.one_of(st.floats(0, 180), st.floats(0, 0.1), st.sampled_from([0.0, 90.0, 180.0]))


def separations(places, ra, dec):
    """The angle to each place, by astropy."""
    astropy = pytest.importorskip("astropy.coordinates", reason="astropy is not installed")
    known = [place for place in places if place[0] is not None]
    columns = ([ra for ra, _ in known], [dec for _, dec in known])
    return astropy.SkyCoord(*columns, unit="deg").separation(astropy.SkyCoord(ra, dec, unit="deg")).deg


def wanted(angles, radius):
    return ({i for i, angle in enumerate(angles) if angle <= radius - EDGE},
            {i for i, angle in enumerate(angles) if angle <= radius + EDGE})  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(ra=RA, dec=DEC, radius=RADIUS)
@example(ra=0.0, dec=90.0, radius=1e-4)
@example(ra=360.0, dec=0.0, radius=1e-6)
@example(ra=180.0, dec=-90.0, radius=179.9999)
def test_a_circle_is_that_of_astropy(found, places, ra, dec, radius):
    least, most = wanted(separations(places, ra, dec), radius)
    point, circle = "POINT('ICRS', ra_deg, dec_deg)", f"CIRCLE('ICRS', {ra!r}, {dec!r}, {radius!r})"
    inside = found(f"1 = CONTAINS({point}, {circle})")
    assert least <= inside <= most
    assert found(f"CONTAINS({point}, {circle}) = 0") == set(range(len(places) - 1)) - inside
    assert found(f"INTERSECTS({circle}, {point}) = 1") == inside
    near = found(f"DISTANCE({point}, POINT({ra!r}, {dec!r})) <= {radius!r}")
    assert near == inside
    assert found(f"{radius!r} >= DISTANCE({ra!r}, {dec!r}, ra_deg, dec_deg)") == inside


def test_a_distance_is_that_of_astropy(sky, places):
    for ra, dec in ((10.0, 20.0), (0.0, 90.0), (180.0, 0.0), (359.9999999, -89.99999)):
        rows = sky.adql(f"SELECT transient, DISTANCE(POINT(ra_deg, dec_deg), POINT({ra}, {dec})) FROM transients").rows
        mine = {name: angle for name, angle in rows if angle is not None}
        for i, angle in enumerate(separations(places, ra, dec)):
            assert mine[f"t{i}"] == pytest.approx(angle, abs=1e-10)


POLYGONS = ["9.2, -0.8, 10.8, -0.6, 10.1, 0.9", "350, -20, 20, -20, 20, 30, 350, 30", "10, -70, 130, -70, 250, -70"]


def corners(text):
    numbers = [float(each) for each in text.split(",")]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def to_border(polygon, place):
    """The angle to the nearest edge, by many points on the edges."""
    p = vector(*place)
    angles = []
    for one, other in zip(polygon.vectors, [*polygon.vectors[1:], polygon.vectors[0]], strict=True):
        for step in range(2001):
            mixed = [a + (b - a) * step / 2000 for a, b in zip(one, other, strict=True)]
            length = math.hypot(*mixed)
            angles.append(2 * math.asin(min(1, math.dist([each / length for each in mixed], p) / 2)))
    return math.degrees(min(angles))


@pytest.mark.parametrize("text", POLYGONS)
def test_a_polygon_is_that_of_vectors(found, places, text):
    polygon = Polygon.of(corners(text))
    inside = {i for i, place in enumerate(places[:-1]) if polygon.holds(vector(*place))}
    assert inside
    assert found(f"1 = CONTAINS(POINT(ra_deg, dec_deg), POLYGON({text}))") == inside
    points = ", ".join(f"POINT({ra}, {dec})" for ra, dec in corners(text))
    assert found(f"1 = CONTAINS(POINT(ra_deg, dec_deg), POLYGON('', {points}))") == inside
    words = text.replace(",", "")
    assert found(f"CONTAINS(POINT(ra_deg, dec_deg), REGION('POLYGON ICRS {words}')) = 1") == inside


def test_a_circle_and_a_polygon_touch_where_the_border_is_near(found, places):
    polygon = Polygon.of(corners(POLYGONS[0]))
    near = [i for i, place in enumerate(places[:-1]) if 8 < place[0] < 12 and abs(place[1]) < 2]
    inside = {i for i in near if polygon.holds(vector(*places[i]))}
    border = {i: to_border(polygon, places[i]) for i in near}
    touching = found(f"1 = INTERSECTS(CIRCLE(ra_deg, dec_deg, 0.3), POLYGON({POLYGONS[0]}))")
    within = found(f"1 = CONTAINS(CIRCLE(ra_deg, dec_deg, 0.3), POLYGON({POLYGONS[0]}))")
    sure = {i for i in near if abs(border[i] - 0.3) > 1e-5}
    assert touching & sure == {i for i in sure if i in inside or border[i] < 0.3}
    assert within & sure == {i for i in sure if i in inside and border[i] > 0.3}
    assert within < inside < touching
    assert found(f"1 = INTERSECTS(POLYGON({POLYGONS[0]}), CIRCLE(ra_deg, dec_deg, 0.3))") == touching


def test_a_box_is_the_polygon_of_its_corners(found, places):
    box = found("1 = CONTAINS(POINT(ra_deg, dec_deg), BOX('ICRS', 10, 0, 1, 0.5))")
    corners = "9.5, -0.25, 10.5, -0.25, 10.5, 0.25, 9.5, 0.25"
    assert box == found(f"1 = CONTAINS(POINT(ra_deg, dec_deg), POLYGON({corners}))") != set()
    around = found("1 = CONTAINS(POINT(ra_deg, dec_deg), BOX(POINT(0, 0), 1, 1))")
    assert places.index((359.9999999, 0.0)) in around
    assert places.index((1e-7, 0.0)) in around


def test_circles_of_circles(sky):
    def ask(what):
        return sky.adql(f"SELECT TOP 1 {what} FROM transients").rows[0][0]

    assert ask("CONTAINS(CIRCLE(10, 0, 1), CIRCLE(10.5, 0, 2))") == 1
    assert ask("CONTAINS(CIRCLE(10, 0, 1), CIRCLE(11.5, 0, 2))") == 0
    assert ask("INTERSECTS(CIRCLE(359, 0, 1), CIRCLE(1, 0, 1.1))") == 1
    assert ask("INTERSECTS(CIRCLE(359, 0, 1), CIRCLE(1, 0, 0.9))") == 0
    assert ask("CONTAINS(BOX(10, 0, 1, 1), CIRCLE(10, 0, 0.8))") == 1
    assert ask("CONTAINS(BOX(10, 0, 1, 1), CIRCLE(10, 0, 0.6))") == 0


def test_what_is_measured_of_a_region(sky):
    whole = 4 * math.pi * math.degrees(1) ** 2
    asked = sky.adql(
        "SELECT TOP 1 AREA(CIRCLE('ICRS', 10, 20, 180)), AREA(CIRCLE(0, 0, 0.01)), AREA(POLYGON(0, 0, 90, 0, 0, 90)),"
        " COORD1(CENTROID(CIRCLE(10, 20, 1))), COORD2(POINT(10, 20)), COORD1(CENTROID(BOX(350, 0, 2, 2))),"
        " COORD2(CENTROID(POLYGON(0, 0, 90, 0, 0, 90))), COORDSYS(POINT('ICRS', 1, 2)) FROM transients"
    ).rows[0]
    assert asked[:3] == pytest.approx((whole, math.pi * 1e-4, whole / 8), rel=1e-7)
    assert asked[3:7] == pytest.approx((10, 20, 350, math.degrees(math.asin(1 / math.sqrt(3)))))
    assert asked[7] == "ICRS"


def test_a_moc_in_a_region(found, places):
    inside = found("1 = CONTAINS(POINT(ra_deg, dec_deg), REGION('0/4-7'))")
    assert all(abs(places[i][1]) <= 41.82 for i in inside)
    assert len(inside) > 300


def test_columns_of_geometry_have_short_names(sky):
    result = sky.adql(
        "SELECT TOP 1 DISTANCE(1, 2, 3, 4), 2 * AREA(CIRCLE(1, 2, 3)), DISTANCE(1, 2, 3, 4) AS x FROM hosts"
    )
    assert [column.name for column in result.columns] == ["distance", "area", "x"]


def test_a_join_by_distance(sky):
    rows = sky.adql(
        "SELECT t.transient FROM blastgit.transients AS t JOIN blastgit.hosts AS h"
        " ON 1 = CONTAINS(POINT(t.ra_deg, t.dec_deg), CIRCLE(h.ra_deg, h.dec_deg, 1.0/3600))"
        " WHERE t.transient = h.transient AND DISTANCE(POINT(t.ra_deg, t.dec_deg), POINT(h.ra_deg, h.dec_deg)) < 0.001"
    ).rows
    assert len(rows) == 1500 + 20 + 200


@pytest.mark.parametrize(
    ("query", "column"),
    [
        ("SELECT * FROM transients WHERE {}", '"transients".healpix'),
        ("SELECT * FROM blastgit.transients WHERE {}", '"transients".healpix'),
        ("SELECT * FROM blastgit.revisions AS r WHERE {}", '"r".healpix'),
        ("SELECT * FROM photometry JOIN hosts h USING (transient) WHERE {}", '"h".healpix'),
        ("SELECT * FROM sed WHERE transient IN (SELECT transient FROM hosts WHERE {})", '"hosts".healpix'),
        ("SELECT * FROM apertures WHERE {}", None),
        ("SELECT * FROM (SELECT * FROM transients) AS t WHERE {}", None),
        ("WITH transients AS (SELECT * FROM apertures) SELECT * FROM transients WHERE {}", None),
        ("SELECT * FROM ivoa.ObsCore WHERE {}", None),
        ("SELECT * FROM other.transients WHERE {}", None),
    ],
)
def test_cells_are_looked_up_where_a_table_has_them(query, column):
    beside = ["ivoa.ObsCore", "other.transients"]
    sql = translate(query.format("1 = CONTAINS(POINT(ra_deg, dec_deg), CIRCLE(10, 20, 0.5))"), beside)
    assert (f"{column} BETWEEN" in sql) if column else ("healpix" not in sql)
    sql = translate(query.format("DISTANCE(POINT(ra_deg, dec_deg), POINT(10, 20)) < 0.5"), beside)
    assert (f"{column} BETWEEN" in sql) if column else ("healpix" not in sql)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("0, 0, 2, 0, 2, 2, 0, 2", "1, 1, 3, 1, 3, 3, 1, 3", True),
        ("0, 0, 2, 0, 2, 2, 0, 2", "5, 5, 6, 5, 6, 6", False),
        ("0, 0, 9, 0, 9, 9, 0, 9", "3, 3, 4, 3, 4, 4", True),  # one inside the other
        ("0, 4, 9, 4, 9, 5, 0, 5", "4, 0, 5, 0, 5, 9, 4, 9", True),  # a cross: no vertex lies in the other
        ("0, 0, 2, 0, 2, 2, 0, 2", "0, 0, 2, 0, 2, 2, 0, 2", True),
        ("0, 0, 2, 0, 2, 2, 0, 2", "2, 0, 3, 0, 3, 2, 2, 2", True),  # an edge in common
        ("359, -1, 1, -1, 1, 1, 359, 1", "0, 0, 3, 0, 3, 3, 0, 3", True),  # across right ascension 0
        ("0, 80, 120, 80, 240, 80", "60, 89, 180, 89, 300, 89", True),  # around a pole
        ("0, 80, 120, 80, 240, 80", "0, -80, 120, -80, 240, -80", False),
        ("0, 0, 2, 0, 2, 2, 0, 2", "180, 0, 182, 0, 182, 2, 180, 2", False),  # the antipodes
        ("0, 0, 4, 0, 4, 4, 3, 4, 3, 1, 1, 1, 1, 4, 0, 4", "1.5, 2, 2.5, 2, 2.5, 3", False),  # in a notch
    ],
)
def test_two_polygons_meet(one, other, meet):
    for pair in ((one, other), (other, one)):
        shapes = ", ".join(f"POLYGON({each})" for each in pair)
        written = translate(f"SELECT INTERSECTS({shapes}) FROM transients")
        assert ("TRUE" in written.upper(), "FALSE" in written.upper()) == (meet, not meet)


def test_polygons_of_very_many_vertices_are_refused():
    many = ", ".join(f"{math.cos(i / 20):.6f}, {math.sin(i / 20):.6f}".replace("-", "") for i in range(1, 120))
    with pytest.raises(InvalidQuery, match="so many vertices"):
        translate(f"SELECT INTERSECTS(POLYGON({many}), POLYGON({many})) FROM transients")
