"""Translate ADQL's functions of points and regions to expressions in DuckDB's SQL, with cheap tests first."""

from __future__ import annotations

import math

from sqlglot import exp

from blastgit.search.adql.mistakes import in_node
from blastgit.search.adql.shapes import GEOMETRY, MAKERS, Circle, Point, Shape, Shapes, constant, fixed_point
from blastgit.search.sky.polygon import Polygon, cross
from blastgit.search.sky.region import Moc
from blastgit.search.sky.sql import Place, in_circle, prefilter, separation

_LONGEST = 200_000  # characters of one expression: nested ones grow fast
_PAIRS = 10_000  # most pairs of edges of two polygons to compare
_SQUARE = math.degrees(1) ** 2  # square degrees per steradian
_CONDITION, _DISTANCE = "adql condition", "adql distance"  # metadata of translated expressions


def write(node: exp.Expr, shapes: Shapes) -> None:
    """Replace a geometry function, or a comparison with one, after its parts were replaced."""
    if isinstance(node, exp.Anonymous):
        name = node.name.upper()
        if name in GEOMETRY and name not in MAKERS:
            node.replace(_written(node, name, shapes))
    elif isinstance(node, exp.EQ | exp.NEQ):
        _compare_condition(node)
    elif isinstance(node, exp.LT | exp.LTE | exp.GT | exp.GTE):
        _compare_distance(node)


def refuse_shapes(tree: exp.Expr) -> None:
    """Check that no shape is left, which DuckDB does not have.

    Raises:
        InvalidQuery: There is one.
    """
    for node in tree.find_all(exp.Anonymous):
        if node.name.upper() in MAKERS:
            raise in_node(
                node, "a geometry is not a value of its own here: ask for its numbers with COORD1, COORD2 or AREA"
            )


def _written(node: exp.Anonymous, name: str, shapes: Shapes) -> exp.Expr:
    values = node.expressions
    if name in ("CONTAINS", "INTERSECTS"):
        ask = _contains if name == "CONTAINS" else _intersects
        return _truth(node, ask(node, shapes.of(values[0]), shapes.of(values[1])))
    if name == "DISTANCE":
        return _distance(node, shapes)
    if name == "AREA":
        return _var(node, f"CAST({_area(node, shapes.of(values[0]))} AS DOUBLE)")
    if name == "COORDSYS":
        shapes.of(values[0])
        return _var(node, "'ICRS'")
    place = shapes.point(values[0]).place
    return _var(node, f"CAST({place.ra if name == 'COORD1' else place.dec} AS DOUBLE)")


def _var(node: exp.Expr, sql: str) -> exp.Var:
    """Return an expression of literal SQL."""
    if len(sql) > _LONGEST:
        raise in_node(node, "this geometry is too large")
    return exp.Var(this=sql)


def _truth(node: exp.Expr, condition: str) -> exp.Var:
    """Return the SQL for 1 where a condition holds and 0 where not, remembering the condition for comparisons."""
    found = _var(node, f"CAST(({condition}) AS INTEGER)")
    found.meta[_CONDITION] = condition
    return found


def _contains(node: exp.Expr, inner: Shape, outer: Shape) -> str:
    match inner, outer:
        case Point(), Circle():
            return _within(inner, outer.centre, outer.radius, outer.number)
        case Point(), Polygon() | Moc():
            return outer.sql(inner.place)
        case Circle(), Circle():
            apart = separation(inner.centre.place, outer.centre.place)
            return f"{apart} + ({inner.radius}) <= ({outer.radius})"
        case Circle(), Polygon():
            return f"({outer.sql(inner.centre.place)} AND NOT ({_near_border(inner, outer)}))"
        case Polygon(), Circle() if outer.number is not None and outer.number < 90:
            corners = (fixed_point(*vertex) for vertex in inner.vertices)
            return " AND ".join(f"({_within(corner, outer.centre, outer.radius, outer.number)})" for corner in corners)
    raise in_node(node, "CONTAINS asks whether a POINT or CIRCLE lies in a CIRCLE, BOX or POLYGON, or a POINT in a MOC")


def _intersects(node: exp.Expr, one: Shape, other: Shape) -> str:
    match one, other:
        case (Point(), _):
            return _contains(node, one, other)
        case (_, Point()):
            return _contains(node, other, one)
        case Circle(), Circle():
            return f"{separation(one.centre.place, other.centre.place)} <= ({one.radius}) + ({other.radius})"
        case Circle(), Polygon():
            return f"({other.sql(one.centre.place)} OR {_near_border(one, other)})"
        case Polygon(), Circle():
            return _intersects(node, other, one)
        case Polygon(), Polygon():
            if len(one.vertices) * len(other.vertices) > _PAIRS:
                raise in_node(node, "two polygons of so many vertices are not compared: 100 each are allowed")
            return str(one.meets(other)).lower()
    raise in_node(node, "INTERSECTS takes a POINT and any region, or two of CIRCLE, BOX and POLYGON")


def _within(one: Point, other: Point, radius: str, number: float | None) -> str:
    """Return the SQL for whether two points are within a radius of each other."""
    if number is None:
        return f"{separation(one.place, other.place)} <= ({radius})"
    if other.numbers is not None:
        return in_circle(one.place, *other.numbers, number)
    if one.numbers is not None:
        return in_circle(other.place, *one.numbers, number)
    return f"({_similar(one.place, other.place, number)} AND {separation(one.place, other.place)} <= {number!r})"


def _similar(one: Place, other: Place, radius: float) -> str:
    """Return a necessary condition for two places to be within a radius, by which DuckDB can join."""
    reach = repr(radius + 1e-9)
    return f"({one.dec}) BETWEEN ({other.dec}) - {reach} AND ({other.dec}) + {reach}"


def _near_border(circle: Circle, polygon: Polygon) -> str:
    """Return the SQL for whether an edge of a polygon is within the radius of a circle's centre.

    The nearest point of an edge is one of its ends, or the foot of the perpendicular from the centre, if that is on the
    edge.
    """
    place = circle.centre.place
    x, y, z = (f"cos(radians({place.dec})) * cos(radians({place.ra}))",
               f"cos(radians({place.dec})) * sin(radians({place.ra}))", f"sin(radians({place.dec}))")  # fmt: skip
    tests = [f"{separation(place, fixed_point(*vertex).place)} <= ({circle.radius})" for vertex in polygon.vertices]
    for one, other in zip(polygon.vectors, [*polygon.vectors[1:], polygon.vectors[0]], strict=True):
        normal = cross(one, other)
        length = math.hypot(*normal)
        up = (normal[0] / length, normal[1] / length, normal[2] / length)
        from_one, from_other, height = (
            f"({a!r} * {x} + {b!r} * {y} + {c!r} * {z})" for a, b, c in (cross(up, one), cross(other, up), up)
        )
        near = f"degrees(abs(asin(greatest(-1, least(1, {height}))))) <= ({circle.radius})"
        tests.append(f"({from_one} >= 0 AND {from_other} >= 0 AND {near})")
    return f"({' OR '.join(tests)})"


def _area(node: exp.Expr, shape: Shape) -> str:
    match shape:
        case Point():
            return "0.0"
        case Circle():
            return f"({4 * math.pi * _SQUARE!r} * pow(sin(radians({shape.radius}) / 2), 2))"
        case Polygon():
            return repr(shape.area)
    raise in_node(node, "there is no AREA of a MOC here")


def _distance(node: exp.Anonymous, shapes: Shapes) -> exp.Expr:
    values = node.expressions
    if len(values) == 3:
        raise in_node(node, "DISTANCE takes two points, or four numbers")
    if len(values) == 2:
        points = [shapes.point(each) for each in values]
    else:
        points = [shapes.at(*values[:2]), shapes.at(*values[2:])]
    found = _var(node, separation(points[0].place, points[1].place))
    found.meta[_DISTANCE] = points
    return found


def _compare_condition(node: exp.EQ | exp.NEQ) -> None:
    """Replace `1 = CONTAINS(…)` by the condition itself, so that DuckDB can use it to skip rows and to join."""
    for side, other in ((node.this, node.expression), (node.expression, node.this)):
        condition, number = side.unnest().meta.get(_CONDITION), constant(other)
        if condition and number in (0, 1):
            holds = (number == 1) == isinstance(node, exp.EQ)
            node.replace(_var(node, f"({condition})" if holds else f"(NOT ({condition}))"))
            return


def _compare_distance(node: exp.LT | exp.LTE | exp.GT | exp.GTE) -> None:
    """Put cheap tests before `DISTANCE(…) < 0.1`."""
    is_turned = isinstance(node, exp.GT | exp.GTE)
    side, other = (node.expression, node.this) if is_turned else (node.this, node.expression)
    points: list[Point] | None = side.unnest().meta.get(_DISTANCE)
    limit = constant(other)
    if points is None or limit is None or not 0 <= limit <= 180:
        return
    one, two = points if points[0].numbers is None else points[::-1]
    if one.numbers is not None:
        return
    cheap = prefilter(one.place, *two.numbers, limit) if two.numbers else [_similar(one.place, two.place, limit)]
    sign = "<" if isinstance(node, exp.LT | exp.GT) else "<="
    node.replace(_var(node, f"({' AND '.join([*cheap, f'{side.unnest().name} {sign} {limit!r}'])})"))
