"""Polygons on the sky, whose edges are parts of great circles."""

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
"""Vertices of one polygon."""

_WIDEST = 89.0  # degrees from the middle to a vertex
_SAME = 1e-12  # radians between two vertices that are one
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Polygon:
    """A polygon; which way round its vertices go does not matter, for the inside is where its middle is near.

    Where edges cross, a position is inside if a line from there to the outside meets an odd number of edges.

    Attributes:
        vertices: Right ascension and declination of each vertex in degrees, the first one not repeated.
    """

    vertices: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, vertices: Sequence[tuple[float, float]]) -> Polygon:
        """Return the polygon of some vertices.

        Raises:
            InvalidInput: They make none, or one as wide as half the sky.
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
        """The area in square degrees; of one whose edges cross, that of its parts less each other's."""
        a = self.vectors[0]
        pairs = zip(self.vectors[1:-1], self.vectors[2:], strict=True)
        return abs(sum(_excess(a, b, c) for b, c in pairs)) * math.degrees(1) ** 2

    @cached_property
    def vectors(self) -> tuple[Vector, ...]:
        """The vertices as unit vectors."""
        return tuple(vector(*vertex) for vertex in self.vertices)

    @cached_property
    def middle(self) -> Vector:
        """A point that all vertices are near."""
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
        """Degrees from the middle to the vertex that is farthest."""
        return math.degrees(max(_angle(self.middle, each) for each in self.vectors))

    def sql(self, place: Place) -> str:
        """Return whether a position lies inside.

        Seen from the middle of the sphere on a plane that touches it, great circles are straight lines: the rest is
        what is done in the plane.
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
        """Whether a point lies inside."""
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
        """For each edge, 1 or 0: whether a line to the right of the point `p` meets it."""
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
    """Return the vector product."""
    (a, b, c), (d, e, f) = one, other
    return b * f - c * e, c * d - a * f, a * e - b * d


def _arcs_meet(one: tuple[Vector, Vector], other: tuple[Vector, Vector]) -> bool:
    """Whether two arcs, each shorter than half a circle, have a point in common; if one great circle, at their ends."""
    normals = cross(*one), cross(*other)
    line = cross(*normals)
    points = [line, (-line[0], -line[1], -line[2])] if math.hypot(*line) > _SAME * _SAME else [*one, *other]
    return any(_is_on(one, point) and _is_on(other, point) for point in points)


def _is_on(arc: tuple[Vector, Vector], point: Vector) -> bool:
    """Whether a point of an arc's great circle lies between its ends."""
    normal = cross(*arc)
    return _dot(cross(normal, arc[0]), point) >= 0 and _dot(cross(arc[1], normal), point) >= 0


def _angle(one: Vector, other: Vector) -> float:
    return math.atan2(math.hypot(*cross(one, other)), _dot(one, other))


def _excess(a: Vector, b: Vector, c: Vector) -> float:
    """Return the area of a triangle on the unit sphere, negative if it goes round clockwise (Van Oosterom 1983)."""
    return 2 * math.atan2(_dot(a, cross(b, c)), 1 + _dot(a, b) + _dot(b, c) + _dot(c, a))
