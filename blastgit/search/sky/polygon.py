"""Polygons on the sky, whose edges are arcs of great circles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from blastgit.errors import InvalidInput
from blastgit.search.sky.angles import check_dec, check_ra
from blastgit.search.sky.cells import vector
from blastgit.search.sky.sql import Place, prefilter

LIMIT = 500
"""Most vertices of one polygon."""

_WIDEST = 89.0  # most degrees from the middle to a vertex
_SAME = 1e-12  # radians within which two vertices are the same
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Polygon:
    """A polygon. The order of the vertices, clockwise or not, does not matter: the inside is the smaller part.

    If edges cross, a position is inside if a line from there to the outside meets an odd number of edges.

    Attributes:
        vertices: Right ascension and declination of each vertex in degrees, without repeating the first.
    """

    vertices: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, vertices: Sequence[tuple[float, float]]) -> Polygon:
        """Return the polygon of some vertices.

        Raises:
            InvalidInput: They do not form a polygon, or one that is as wide as half the sky.
        """
        checked = [(check_ra(ra), check_dec(dec)) for ra, dec in vertices]
        if len(checked) > LIMIT:
            raise InvalidInput(f"a polygon has at most {LIMIT} vertices, not {len(checked):,}: write it as a MOC")
        kept = [each for at, each in enumerate(checked) if _angle(vector(*each), vector(*checked[at - 1])) > _SAME]
        polygon = cls(tuple(kept))
        if len(kept) < 3:
            raise InvalidInput(f"a polygon has three different vertices at least, not {len(kept)}")
        if polygon.radius > _WIDEST:
            raise InvalidInput(
                "the polygon is as wide as half the sky, so that its inside is not clear: cut it into two"
            )
        if polygon.area < 1e-18:
            raise InvalidInput("the polygon has no area: its vertices lie on a line")
        return polygon

    @property
    def area(self) -> float:
        """The area in square degrees; if edges cross, the difference of the areas of its parts."""
        a = self.vectors[0]
        pairs = zip(self.vectors[1:-1], self.vectors[2:], strict=True)
        return abs(sum(_excess(a, b, c) for b, c in pairs)) * math.degrees(1) ** 2

    @cached_property
    def vectors(self) -> tuple[Vector, ...]:
        """The vertices as unit vectors."""
        return tuple(vector(*vertex) for vertex in self.vertices)

    @cached_property
    def middle(self) -> Vector:
        """The normalised sum of the vertices."""
        sums = [math.fsum(each[axis] for each in self.vectors) for axis in range(3)]
        length = math.hypot(*sums)
        if length < 1e-6 * len(self.vectors):
            raise InvalidInput("the polygon goes around the sky, so that its inside is not clear: cut it into two")
        return (sums[0] / length, sums[1] / length, sums[2] / length)

    @cached_property
    def centre(self) -> tuple[float, float]:
        """Right ascension and declination of the middle."""
        x, y, z = self.middle
        return math.degrees(math.atan2(y, x)) % 360, math.degrees(math.atan2(z, math.hypot(x, y)))

    @cached_property
    def radius(self) -> float:
        """The angle from the middle to the farthest vertex in degrees."""
        return math.degrees(max(_angle(self.middle, each) for each in self.vectors))

    def sql(self, place: Place) -> str:
        """Return the SQL for whether a position is inside.

        In the gnomonic projection, great circles are straight lines, so the usual test in the plane applies.
        """
        x, y, z = (f"cos(radians({place.dec})) * cos(radians({place.ra}))",
                   f"cos(radians({place.dec})) * sin(radians({place.ra}))", f"sin(radians({place.dec}))")  # fmt: skip
        east, north = self._axes
        dots = [" + ".join(f"{a!r} * {b}" for a, b in zip(axis, (x, y, z), strict=True))
                for axis in (self.middle, east, north)]  # fmt: skip
        plane = f"{{'x': ({dots[1]}) / ({dots[0]}), 'y': ({dots[2]}) / ({dots[0]})}}"
        inside = f"list_transform([{plane}], lambda p: list_sum([{', '.join(self._crossings())}]) % 2 = 1)[1]"
        near = [*prefilter(place, *self.centre, self.radius + 1e-9), f"{dots[0]} > 0.01"]
        test = " AND ".join(near)
        return f"(CASE WHEN {test} THEN {inside} WHEN NOT ({test}) THEN false END)"

    def holds(self, point: Vector) -> bool:
        """Whether a point is inside."""
        if _dot(point, self.middle) <= 0.01:
            return False
        px, py = self._flat(point)
        return sum((y1 > py) != (y2 > py) and px < _at(x1, y1, x2, y2, py) for x1, y1, x2, y2 in self._edges) % 2 == 1

    def meets(self, other: Polygon) -> bool:
        """Whether two polygons have a point in common."""
        if self.holds(other.vectors[0]) or other.holds(self.vectors[0]):
            return True
        return any(_arcs_meet(one, two) for one in self._arcs for two in other._arcs)

    @property
    def _arcs(self) -> list[tuple[Vector, Vector]]:
        return [(self.vectors[at - 1], each) for at, each in enumerate(self.vectors)]

    def _crossings(self) -> list[str]:
        """Return for each edge the SQL of 1 or 0: whether a line from the point `p` to the right meets it."""
        return [
            f"((({y1!r} > p.y) <> ({y2!r} > p.y))"
            f" AND p.x < {x1!r} + (p.y - {y1!r}) * {(x2 - x1) / (y2 - y1)!r})::INTEGER"
            for x1, y1, x2, y2 in self._edges
            if y1 != y2
        ]

    @cached_property
    def _edges(self) -> list[tuple[float, float, float, float]]:
        flat = [self._flat(each) for each in self.vectors]
        return [(*flat[at - 1], *each) for at, each in enumerate(flat)]

    @cached_property
    def _axes(self) -> tuple[Vector, Vector]:
        lon, lat = (math.radians(each) for each in self.centre)
        east = (-math.sin(lon), math.cos(lon), 0.0)
        north = (-math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat))
        return east, north

    def _flat(self, point: Vector) -> tuple[float, float]:
        east, north = self._axes
        depth = _dot(point, self.middle)
        return _dot(point, east) / depth, _dot(point, north) / depth


def _at(x1: float, y1: float, x2: float, y2: float, y: float) -> float:
    return x1 + (y - y1) * ((x2 - x1) / (y2 - y1))


def _dot(one: Vector, other: Vector) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def cross(one: Vector, other: Vector) -> Vector:
    """Return the cross product."""
    (a, b, c), (d, e, f) = one, other
    return b * f - c * e, c * d - a * f, a * e - b * d


def _arcs_meet(one: tuple[Vector, Vector], other: tuple[Vector, Vector]) -> bool:
    """Whether two arcs, each shorter than half a circle, intersect; on the same great circle, their ends are tested."""
    normals = cross(*one), cross(*other)
    line = cross(*normals)
    points = [line, (-line[0], -line[1], -line[2])] if math.hypot(*line) > _SAME * _SAME else [*one, *other]
    return any(_is_on(one, point) and _is_on(other, point) for point in points)


def _is_on(arc: tuple[Vector, Vector], point: Vector) -> bool:
    """Whether a point on an arc's great circle is between its ends."""
    normal = cross(*arc)
    return _dot(cross(normal, arc[0]), point) >= 0 and _dot(cross(arc[1], normal), point) >= 0


def _angle(one: Vector, other: Vector) -> float:
    return math.atan2(math.hypot(*cross(one, other)), _dot(one, other))


def _excess(a: Vector, b: Vector, c: Vector) -> float:
    """Return the area of a triangle on the unit sphere, negative if clockwise (Van Oosterom & Strackee 1983)."""
    return 2 * math.atan2(_dot(a, cross(b, c)), 1 + _dot(a, b) + _dot(b, c) + _dot(c, a))
