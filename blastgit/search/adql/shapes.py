"""ADQL's points and regions: POINT, CIRCLE, BOX, POLYGON, REGION and CENTROID."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from blastgit.errors import InvalidInput
from blastgit.search.adql.mistakes import in_node
from blastgit.search.adql.sources import Sources
from blastgit.search.sky import region
from blastgit.search.sky.angles import check_dec, check_ra, check_radius
from blastgit.search.sky.polygon import Polygon, cross
from blastgit.search.sky.region import Moc
from blastgit.search.sky.sql import Place

MAKERS = {"POINT": (1, 3), "CIRCLE": (2, 4), "BOX": (3, 5), "POLYGON": (3, 1001), "REGION": (1, 1), "CENTROID": (1, 1)}
"""The functions that make points and regions, with the least and the greatest number of arguments."""

GEOMETRY = {
    **MAKERS, "CONTAINS": (2, 2), "INTERSECTS": (2, 2), "DISTANCE": (2, 4), "AREA": (1, 1), "COORD1": (1, 1),
    "COORD2": (1, 1), "COORDSYS": (1, 1),
}  # fmt: skip
"""All geometry functions."""

_FRAMES = {"", "ICRS", "ICRS GEOCENTER", "ICRS BARYCENTER", "ICRS TOPOCENTER", "UNKNOWNFRAME"}


@dataclass(frozen=True)
class Point:
    """A position.

    Attributes:
        place: Its SQL expressions.
        numbers: Right ascension and declination in degrees; None if they depend on columns.
    """

    place: Place
    numbers: tuple[float, float] | None = None


@dataclass(frozen=True)
class Circle:
    """A circle.

    Attributes:
        centre: Its centre.
        radius: The SQL expression of its radius in degrees.
        number: The radius in degrees; None if it depends on columns.
    """

    centre: Point
    radius: str
    number: float | None = None


Shape = Point | Circle | Polygon | Moc


class Shapes:
    """Turns function calls into shapes."""

    def __init__(self, sources: Sources) -> None:
        """Use the cells of the tables in `sources`."""
        self._sources = sources

    def of(self, node: exp.Expr) -> Shape:
        """Return the shape of an expression.

        Raises:
            InvalidQuery: It is not a shape.
        """
        node = node.unnest()
        if not isinstance(node, exp.Anonymous) or node.name.upper() not in MAKERS:
            raise in_node(node, "here a geometry is asked for, POINT, CIRCLE, BOX or POLYGON; no column is one")
        try:
            return self._made(node, node.name.upper(), list(node.expressions))
        except InvalidInput as error:
            raise in_node(node, str(error)) from None

    def point(self, node: exp.Expr) -> Point:
        """Return the point of an expression."""
        found = self.of(node)
        if not isinstance(found, Point):
            raise in_node(node, "here a POINT is asked for")
        return found

    def at(self, ra: exp.Expr, dec: exp.Expr) -> Point:
        """Return the point of two coordinates."""
        numbers = constant(ra), constant(dec)
        if numbers[0] is not None and numbers[1] is not None:
            fixed = check_ra(numbers[0]), check_dec(numbers[1])
            return fixed_point(*fixed)
        return Point(Place(written(ra), written(dec), self._sources.healpix(ra, dec)))

    def _made(self, node: exp.Anonymous, name: str, values: list[exp.Expr]) -> Shape:
        if name == "CENTROID":
            return _centroid(node, self.of(values[0]))
        if name == "REGION":
            return _region(node, values[0])
        if len(values) > 1 and isinstance(values[0], exp.Literal) and values[0].is_string:
            _check_frame(values.pop(0))
        points, rest = self._points(values, len(values) if name == "POLYGON" else 1)
        match name, len(points), len(rest):
            case "POINT", 1, 0:
                return points[0]
            case "CIRCLE", 1, 1:
                radius = constant(rest[0])
                return Circle(points[0], written(rest[0]), None if radius is None else check_radius(radius))
            case "BOX", 1, 2:
                return _box(node, points[0], [constant(each) for each in rest])
            case "POLYGON", count, 0 if count >= 3:
                return Polygon.of([_fixed(node, point) for point in points])
        raise in_node(
            node, f"the numbers of a {name} are not these: pairs of right ascension and declination come first"
        )

    def _points(self, values: list[exp.Expr], most: int) -> tuple[list[Point], list[exp.Expr]]:
        """Take up to `most` points, or pairs of numbers, from the beginning of the values; also return the rest."""
        points: list[Point] = []
        rest = list(values)
        while rest and len(points) < most:
            if _is_shape(rest[0]):
                points.append(self.point(rest.pop(0)))
            elif len(rest) > 1:
                points.append(self.at(rest.pop(0), rest.pop(0)))
            else:
                break
        return points, rest


def fixed_point(ra: float, dec: float) -> Point:
    """Return the point of two numbers."""
    return Point(Place(repr(ra), repr(dec)), (ra, dec))


def constant(node: exp.Expr) -> float | None:
    """Return the value of an expression without columns; None if it is not a constant number."""
    node = node.unnest()
    if isinstance(node, exp.Literal) and not node.is_string:
        found = float(node.name)
    elif isinstance(node, exp.Neg):
        inner = constant(node.this)
        return None if inner is None else -inner
    elif isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div):
        left, right = constant(node.this), constant(node.expression)
        if left is None or right is None or (isinstance(node, exp.Div) and not right):
            return None
        found = _CALCULATE[type(node)](left, right)
    else:
        return None
    return found if math.isfinite(found) else None


_CALCULATE: dict[type[exp.Expr], Callable[[float, float], float]] = {
    exp.Add: operator.add, exp.Sub: operator.sub, exp.Mul: operator.mul, exp.Div: operator.truediv,
}  # fmt: skip


def written(node: exp.Expr) -> str:
    """Return an expression in DuckDB's SQL."""
    return f"({node.sql('duckdb', identify=True, comments=False)})"


def _is_shape(node: exp.Expr) -> bool:
    node = node.unnest()
    return isinstance(node, exp.Anonymous) and node.name.upper() in MAKERS


def _check_frame(node: exp.Expr) -> None:
    if node.name.strip().upper() not in _FRAMES:
        raise in_node(node, f"positions are in ICRS here, and not in {node.name[:40]!r}")


def _fixed(node: exp.Expr, point: Point) -> tuple[float, float]:
    if point.numbers is None:
        raise in_node(node, "the corners of a POLYGON or BOX are numbers here, not columns; a CIRCLE may have columns")
    return point.numbers


def _box(node: exp.Expr, centre: Point, sides: list[float | None]) -> Polygon:
    """Return a box as a polygon, with corners at half the sides from the centre in right ascension and declination."""
    ra, dec = _fixed(node, centre)
    if any(side is None or side <= 0 for side in sides):
        raise in_node(node, "the width and height of a BOX are numbers above 0, in degrees")
    width, height = (side / 2 for side in sides if side is not None)
    corners = [(-width, -height), (width, -height), (width, height), (-width, height)]
    return Polygon.of([((ra + east) % 360, dec + north) for east, north in corners])


def _region(node: exp.Expr, text: exp.Expr) -> Shape:
    if not isinstance(text, exp.Literal) or not text.is_string:
        raise in_node(node, "REGION takes a text: REGION('CIRCLE ICRS 150 2 0.1')")
    found = region.read_region(text.name)
    if isinstance(found, region.Circle):
        return Circle(fixed_point(found.ra, found.dec), repr(found.radius), found.radius)
    if isinstance(found, Polygon | Moc):
        return found
    raise in_node(node, "this region is not known here")


def _centroid(node: exp.Expr, shape: Shape) -> Point:
    match shape:
        case Point():
            return shape
        case Circle():
            return shape.centre
        case Polygon():
            return fixed_point(*_centre_of_mass(shape))
    raise in_node(node, "there is no CENTROID of a MOC here")


def _centre_of_mass(polygon: Polygon) -> tuple[float, float]:
    """Return the centroid: the sum over the edges of the unit normals of their planes times the edges' lengths."""
    total = [0.0, 0.0, 0.0]
    for one, other in zip(polygon.vectors, [*polygon.vectors[1:], polygon.vectors[0]], strict=True):
        normal = cross(one, other)
        length = math.hypot(*normal)
        angle = math.atan2(length, math.fsum(a * b for a, b in zip(one, other, strict=True)))
        total = [each + angle * part / length for each, part in zip(total, normal, strict=True)]
    if math.fsum(a * b for a, b in zip(total, polygon.middle, strict=True)) < 0:  # the vertices are clockwise
        total = [-each for each in total]
    x, y, z = total
    return math.degrees(math.atan2(y, x)) % 360, math.degrees(math.atan2(z, math.hypot(x, y)))
