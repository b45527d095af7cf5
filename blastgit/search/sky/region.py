"""Regions of the sky as given by users: a circle, a polygon, or a MOC (multi-order coverage map)."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from warnings import catch_warnings

from blastgit.errors import InvalidInput
from blastgit.plumbing.extras import not_installed
from blastgit.search.sky.angles import read_dec, read_ra, read_radius
from blastgit.search.sky.cells import ORDER, Ranges, merged
from blastgit.search.sky.polygon import Polygon
from blastgit.search.sky.sql import Place, fewer, in_circle, in_ranges

SIZE_LIMIT = 50_000_000
"""Most bytes of a file."""

_SHAPE = re.compile(r"(?P<shape>[A-Za-z]+)\b\s*(?:(?P<frame>ICRS)\b)?(?P<numbers>.*)", re.DOTALL | re.IGNORECASE)
_MOC = re.compile(r"s?(?:\s*[0-9]+/[0-9,\s-]*)+", re.IGNORECASE)
_WRITE = "POLYGON ICRS 149 1 151 1 151 3, CIRCLE ICRS 150 2 0.1 (in degrees), or a MOC such as 6/1234-1240 7/5000"


class Region(Protocol):
    """A region of the sky."""

    def sql(self, place: Place) -> str:
        """Return an expression in DuckDB's SQL for whether a position is inside."""


@dataclass(frozen=True)
class Circle:
    """A circle.

    Attributes:
        ra: Right ascension of its centre in degrees.
        dec: Declination of its centre in degrees.
        radius: Its radius in degrees.
    """

    ra: float
    dec: float
    radius: float

    def sql(self, place: Place) -> str:
        """Return the SQL for whether a position is inside."""
        return f"({in_circle(place, self.ra, self.dec, self.radius)})"


@dataclass(frozen=True)
class Moc:
    """HEALPix cells of any orders.

    Attributes:
        ranges: The cells as ranges of the finest order, sorted and disjoint.
    """

    ranges: Ranges

    def sql(self, place: Place) -> str:
        """Return the SQL for whether a position is in one of the cells.

        Many ranges are written as two lists to join with, since DuckDB is slow to parse thousands of conditions.
        """
        few = in_ranges(place.healpix, fewer(self.ranges))
        if len(self.ranges) <= len(fewer(self.ranges)):
            return few
        first, last = ([each[end] for each in self.ranges] for end in (0, 1))
        rows = f"SELECT unnest({first}) AS first, unnest({last}) AS last"
        return f"({few} AND EXISTS (SELECT 1 FROM ({rows}) AS moc WHERE {place.healpix} BETWEEN first AND last))"  # noqa: S608


def read_region(text: str) -> Region:
    """Read a region from text, which is never interpreted as a file name.

    Raises:
        InvalidInput: It is not a region.
    """
    trimmed = text.strip()
    if trimmed.startswith("{"):
        return _from_json(trimmed)
    if _MOC.fullmatch(trimmed):
        return _from_cells(trimmed)
    match = _SHAPE.fullmatch(trimmed)
    shape = match["shape"].upper() if match else ""
    if match is None or shape not in ("POLYGON", "CIRCLE"):
        raise InvalidInput(f"{text[:80]!r} is not a region: write {_WRITE}")
    words = match["numbers"].replace(",", " ").split()
    if shape == "CIRCLE":
        if len(words) != 3:
            raise InvalidInput(f"a circle has three numbers, right ascension, declination and radius, not {len(words)}")
        return Circle(read_ra(words[0]), read_dec(words[1]), read_radius(words[2]))
    if len(words) % 2:
        raise InvalidInput(f"a polygon has pairs of right ascension and declination: {len(words)} numbers are none")
    vertices = [(read_ra(ra), read_dec(dec)) for ra, dec in zip(words[::2], words[1::2], strict=True)]
    return Polygon.of(vertices[:-1] if vertices[0:1] == vertices[-1:] and len(vertices) > 1 else vertices)


def load_region(path: Path) -> Region:
    """Read a region from a file, as text or as a MOC in FITS.

    Raises:
        InvalidInput: It cannot be read, or is not a region.
        RepoError: It is FITS, and astropy is not installed.
    """
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise InvalidInput(f"{path} is larger than the {SIZE_LIMIT:,} bytes that a region may have")
        data = path.read_bytes()
        return _from_fits(data, path) if data.startswith(b"SIMPLE") else read_region(data.decode("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read as a region: {error}") from None


def _from_json(text: str) -> Moc:
    try:
        loaded: dict[str, list[int]] = json.loads(text)
        return _moc([(int(order), int(cell), int(cell)) for order, cells in loaded.items() for cell in cells])
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise InvalidInput(f"{text[:80]!r} is not a MOC: as JSON it is " + '{"6": [1234, 1235], "7": [5000]}') from None


def _from_cells(text: str) -> Moc:
    found = []
    for order, cells in re.findall(r"([0-9]+)/([0-9,\s-]*?)(?=\s*[0-9]+/|\s*$)", text.lstrip("sS")):
        for word in cells.replace(",", " ").split():
            first, dash, last = word.partition("-")
            if not first or (dash and not last):
                raise InvalidInput(f"{word[:80]!r} is not a cell of a MOC, nor a range of cells")
            found.append((int(order), int(first), int(last or first)))
    return _moc(found)


def _moc(cells: list[tuple[int, int, int]]) -> Moc:
    """Return the MOC of ranges of cells, each with its order."""
    runs: list[tuple[int, int]] = []
    for order, first, last in cells:
        if not 0 <= order <= ORDER:
            raise InvalidInput(f"a MOC has cells of orders 0 to {ORDER}, not {order}")
        if not 0 <= first <= last < 12 * 4**order:
            raise InvalidInput(f"{order}/{first}-{last} are not cells: order {order} has {12 * 4**order:,}")
        shift = 2 * (ORDER - order)
        runs.append((first << shift, ((last + 1) << shift) - 1))
    return Moc(merged(runs, ORDER))


def _from_fits(data: bytes, path: Path) -> Moc:
    try:
        from astropy.io import fits
    except ImportError:
        raise not_installed("a MOC as FITS needs", "astropy", "astropy", ", or write it as text") from None
    try:
        with catch_warnings(action="ignore"), fits.open(io.BytesIO(data)) as units:
            header, values = units[1].header, units[1].data.field(0).ravel().tolist()
        if header.get("MOCDIM", "SPACE") != "SPACE" or header.get("COORDSYS", "C") != "C":
            raise InvalidInput(f"{path} is not a MOC of the sky in ICRS")
        return _moc(_of_ranges(values) if header.get("ORDERING") == "RANGE" else [*map(_of_unique, values)])
    except (OSError, LookupError, ValueError, TypeError, AttributeError):
        raise InvalidInput(f"{path} is not a MOC, or it is damaged: its first table should have the cells") from None


def _of_ranges(values: list[int]) -> list[tuple[int, int, int]]:
    """Return the ranges given by pairs of numbers: the first cell, and the first one after the last."""
    return [(ORDER, first, end - 1) for first, end in zip(values[::2], values[1::2], strict=True)]


def _of_unique(value: int) -> tuple[int, int, int]:
    """Return order and cell of a NUNIQ number: the cell plus 4 * 4^order."""
    order = (value.bit_length() - 3) // 2
    cell = value - (4 << (2 * order))
    return order, cell, cell
