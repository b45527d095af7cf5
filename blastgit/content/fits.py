"""Comparison of FITS files: pixels, table rows and cards."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import IO, TYPE_CHECKING

from blastgit.content import cards, glance
from blastgit.content.hdus import BITPIX, FitsError, hdus, sloppiness
from blastgit.content.model import Difference, Layout, Numbers, Part, Search
from blastgit.content.packed import PackedError, opened, packing
from blastgit.content.streams import LARGEST_ITEM, Window, arrays

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from blastgit.content.cards import Cards
    from blastgit.content.hdus import Hdu
    from blastgit.content.model import Tolerance

_PIXELS = {8: "|u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_COLUMN = re.compile(r"(\d*)([LBIJKEDCMAX])")
_FIELDS = {"L": "S1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8", "C": ">c8", "M": ">c16"}
_WIDTHS = {"L": 1, "B": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8, "C": 8, "M": 16}

Descr = str | list[tuple[str, str, tuple[int, ...]]]


class Fits:
    """FITS files, compared HDU by HDU in their order."""

    suffixes: frozenset[str] = frozenset({".fits", ".fit", ".fts", ".fz"})

    def probe(self, path: Path) -> str | None:
        """Check headers and the length of the file."""
        try:
            with opened(path) as file:
                for _ in hdus(file):
                    pass
        except (FitsError, PackedError) as error:
            return str(error)
        return None

    def remark(self, path: Path) -> str | None:
        """Say what is sloppy about a file that is complete."""
        kind = packing(path)
        with opened(path) as file:
            return ", ".join([*([f"{kind} inside"] if kind else []), *sloppiness(file)]) or None

    def same(self, old: Path, new: Path, tolerance: Tolerance) -> bool:
        """Whether pixels, rows and cards that are not volatile agree."""
        return next(_parts(old, new, Search(tolerance, thorough=False)), None) is None

    def describe(self, old: Path, new: Path, tolerance: Tolerance) -> Difference:
        """All HDUs that differ."""
        return Difference("fits", parts=tuple(_parts(old, new, Search(tolerance, thorough=True))))


@dataclass(frozen=True, slots=True)
class _Data:
    """How to read the data of an HDU: as numbers, rows of fields, or mere bytes; no layout means no data."""

    layout: Layout | None
    unit: str
    descr: Descr
    names: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """How each field is called in the description, and its TTYPE."""


@dataclass(frozen=True, slots=True)
class _Side:
    """One version of an HDU: its open file, place, card values and data."""

    file: IO[bytes]
    hdu: Hdu
    data: _Data

    @property
    def name(self) -> str:
        name = cards.string(self.hdu.cards, "EXTNAME")
        return name or (str(self.hdu.index) if self.hdu.index else "PRIMARY")


def _sides(file: IO[bytes]) -> Iterator[_Side]:
    for hdu in hdus(file):
        yield _Side(file, hdu, _data(hdu))


def _parts(old: Path, new: Path, search: Search) -> Iterator[Part]:
    with opened(old) as first, opened(new) as second:
        for before, after in zip_longest(_sides(first), _sides(second)):
            if before is None:
                yield Part(after.name, "added", new=after.data.layout, index=after.hdu.index)
            elif after is None:
                yield Part(before.name, "removed", old=before.data.layout, index=before.hdu.index)
            else:
                part = _changed(before, after, search)
                if part is not None:
                    yield part


def _changed(old: _Side, new: _Side, search: Search) -> Part | None:
    altered = tuple(cards.changes(old.hdu.cards, new.hdu.cards, search.tolerance))
    alike = old.data == new.data
    numbers = _numbers(old, new, search) if alike and (search.thorough or not altered) else None
    if alike and not altered and numbers is None:
        return None
    return Part(new.name, "changed", old.data.layout, new.data.layout, numbers, altered, new.hdu.index)


def _numbers(old: _Side, new: _Side, search: Search) -> Numbers | None:
    """How data of equal layout differ; numpy is imported only if it takes more than a glance."""
    data = new.data
    if data.layout is None:
        return None
    bounds = search.tolerance.bounds(new.name, data.names)
    total = math.prod(data.layout.shape)
    differ = glance.differ(_window(old), _window(new), data.descr, bounds)
    if differ is False:
        return None
    if differ and not search.thorough:
        return Numbers(data.unit, changed=1, total=total)
    import numpy as np

    from blastgit.content.tally import compare

    dtype = np.dtype(data.descr)
    pieces = arrays(_window(old), _window(new), dtype, dtype)
    return compare(pieces, search, bounds, unit=data.unit, total=total)


def _window(side: _Side) -> Window:
    return Window(side.file, side.hdu.offset, side.hdu.size)


def _data(hdu: Hdu) -> _Data:
    if hdu.size == 0:
        return _Data(None, "pixels", glance.BYTES)
    if hdu.extension == "IMAGE" and hdu.pcount == 0:
        return _Data(Layout(BITPIX[hdu.bitpix], hdu.shape), "pixels", _PIXELS[hdu.bitpix])
    if hdu.extension == "BINTABLE" and hdu.pcount == 0 and len(hdu.shape) == 2:
        rows, width = hdu.shape
        fields = _fields(hdu.cards)
        if fields is not None and fields.width == width <= LARGEST_ITEM:
            return _Data(Layout(fields.forms, (rows,)), "rows", fields.descr, fields.names)
    return _Data(Layout("bytes", (hdu.size,)), "bytes", glance.BYTES)


@dataclass(frozen=True, slots=True)
class _Fields:
    """Columns of a binary table: their TFORMs, numpy description, bytes per row and names."""

    forms: str
    descr: list[tuple[str, str, tuple[int, ...]]]
    width: int
    names: tuple[tuple[str, str], ...]


def _fields(values: Cards) -> _Fields | None:
    """The columns of a table, None if one of them is not simple."""
    count = cards.integer(values, "TFIELDS")
    if count is None or not 0 < count <= 999:
        return None
    forms: list[str] = []
    descr: list[tuple[str, str, tuple[int, ...]]] = []
    width = 0
    for number in range(1, count + 1):
        column = _COLUMN.fullmatch(cards.string(values, f"TFORM{number}").strip())
        if column is None:
            return None
        repeat, code = int(column[1] or 1), column[2]
        forms.append(column[0])
        if repeat == 0:
            continue
        size = -(-repeat // 8) if code == "X" else repeat * _WIDTHS.get(code, 1)
        width += size
        if code == "A":
            descr.append((f"c{number}", f"S{size}", ()))
        elif code == "X":
            descr.append((f"c{number}", f"V{size}", ()))
        else:
            descr.append((f"c{number}", _FIELDS[code], (repeat,)))
    names = tuple((name, cards.string(values, f"TTYPE{name[1:]}")) for name, _, _ in descr)
    return _Fields(",".join(forms), descr, width, names)
