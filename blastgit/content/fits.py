"""Comparison of FITS files: pixels, table rows and cards."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from itertools import zip_longest
from typing import IO, TYPE_CHECKING, Any

from blastgit.content import cards, glance
from blastgit.content.hdus import BITPIX, FitsError, Hdu, hdus, sloppiness
from blastgit.content.model import Difference, Layout, Numbers, Part, Search
from blastgit.content.packed import PackedError, opened, packing
from blastgit.content.streams import CHUNK, LARGEST_ITEM, Reader, Window, arrays, identical
from blastgit.content.tables import Columns, heap_start, layout_cards, read_columns, read_rows
from blastgit.content.tiles import Tiled, image_cards, is_cover, read_tiled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from blastgit.content.cards import Cards
    from blastgit.content.model import Tolerance

_PIXELS = {8: "|u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_LARGEST_HEAP = 256 << 20
"""Bytes of a table with a heap above which it is not taken into memory."""

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
        """Say what is sloppy about a file that is complete, and which images are in compressed tiles."""
        kind = packing(path)
        with opened(path) as file:
            tiled = [f"tiles by {found.packing} in HDU {hdu.index}" for hdu in hdus(file) if (found := read_tiled(hdu))]
            return ", ".join([*([f"{kind} inside"] if kind else []), *tiled, *sloppiness(file)]) or None

    def same(self, old: Path, new: Path, tolerance: Tolerance) -> bool:
        """Whether pixels, rows and cards that are not volatile agree."""
        return next(_parts(old, new, Search(tolerance, thorough=False)), None) is None

    def describe(self, old: Path, new: Path, tolerance: Tolerance) -> Difference:
        """All HDUs that differ."""
        return Difference("fits", parts=tuple(_parts(old, new, Search(tolerance, thorough=True))))


@dataclass(frozen=True, slots=True)
class _Data:
    """How to read the data of an HDU: as numbers, rows of fields, or plain bytes; no layout means no data."""

    layout: Layout | None
    unit: str
    descr: Descr = field(compare=False)
    columns: Columns | None = field(default=None, compare=False)
    tiled: Tiled | None = field(default=None, compare=False)

    @property
    def takes_work(self) -> bool:
        """Whether equal values may be stored as different bytes, so that they must be decoded."""
        return self.tiled is not None or (self.columns is not None and not self.columns.is_plain)


@dataclass(frozen=True, slots=True)
class _Side:
    """One version of an HDU: its open file, place, card values and data."""

    file: IO[bytes]
    hdu: Hdu
    data: _Data

    @property
    def name(self) -> str:
        values = image_cards(self.hdu.cards) if self.data.tiled else self.hdu.cards
        name = cards.string(values, "EXTNAME")
        return name or (str(self.hdu.index) if self.hdu.index else "PRIMARY")

    def stored(self) -> Window:
        """The data as they are stored."""
        return Window(self.file, self.hdu.offset, self.hdu.size)

    def opener(self) -> Callable[[], Reader]:
        """What opens its pixels, rows or bytes; tiles are unpacked just once."""
        if self.data.tiled is None:
            return self.stored
        pixels = self.data.tiled.pixels(self.file)
        return lambda: BytesIO(pixels)

    def storage(self) -> object:
        """What says how the data are stored, if that may differ between equal ones."""
        if self.data.tiled:
            return self.data.tiled.storage
        return self.data.columns, heap_start(self.hdu) if self.data.columns else None


def _sides(file: IO[bytes]) -> Iterator[_Side]:
    """The HDUs of a file; an empty primary one that covers a primary image in tiles is passed over."""
    cover: _Side | None = None
    for hdu in hdus(file):
        side = _Side(file, hdu, _data(hdu))
        if is_cover(hdu):
            cover = side
            continue
        if cover is not None and not (side.data.tiled and side.data.tiled.was_primary):
            yield cover
        cover = None
        yield side
    if cover is not None:
        yield cover


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
    alike = old.data == new.data
    altered = tuple(cards.changes(*_compared(old, new, alike=alike), search.tolerance))
    numbers = _numbers(old, new, search) if alike and (search.thorough or not altered) else None
    if alike and not altered and numbers is None:
        return None
    return Part(new.name, "changed", old.data.layout, new.data.layout, numbers, altered, new.hdu.index)


def _compared(old: _Side, new: _Side, *, alike: bool) -> tuple[Cards, Cards]:
    """The cards to compare: those that say how equal layouts are stored tell nothing more."""
    sides = old.hdu.cards, new.hdu.cards
    if old.data.tiled or new.data.tiled:
        return image_cards(sides[0]), image_cards(sides[1])
    if alike and old.data.columns and sides[0] != sides[1]:
        return layout_cards(sides[0]), layout_cards(sides[1])
    return sides


def _numbers(old: _Side, new: _Side, search: Search) -> Numbers | None:
    """How data of equal layout differ; numpy is imported only if it takes more than a glance."""
    data = new.data
    if data.layout is None or (data.takes_work and old.data.takes_work and _is_stored_alike(old, new)):
        return None
    bounds = search.tolerance.bounds(new.name, data.columns.names if data.columns else ())
    total = math.prod(data.layout.shape)
    if data.columns and data.takes_work:
        pieces = _rows(old, new)
    else:
        before, after = old.opener(), new.opener()
        differ = glance.differ(before(), after(), data.descr, bounds)
        if differ is False:
            return None
        if differ and not search.thorough:
            return Numbers(data.unit, changed=1, total=total)
        pieces = _elements(before(), after(), data.descr)
    from blastgit.content.tally import compare

    return compare(pieces, search, bounds, unit=data.unit, total=total)


def _elements(old: Reader, new: Reader, descr: Descr) -> Iterator[tuple[Any, Any]]:
    """Elements of two streams of one type, in pieces."""
    import numpy as np

    return arrays(old, new, np.dtype(descr), np.dtype(descr))


def _is_stored_alike(old: _Side, new: _Side) -> bool:
    """Whether the data are the same as they are stored, and are read in the same way: then they need not be."""
    return old.storage() == new.storage() and identical(old.stored(), new.stored())


def _rows(old: _Side, new: _Side) -> Iterator[tuple[Any, Any]]:
    """Rows of two tables of equal columns, in pieces."""
    before, after = old.data.columns, new.data.columns
    if before is None or after is None:
        return
    many = max(1, CHUNK // max(before.width, after.width))
    yield from zip(read_rows(old.file, old.hdu, before, many), read_rows(new.file, new.hdu, after, many), strict=True)


def _data(hdu: Hdu) -> _Data:
    if hdu.size == 0:
        return _Data(None, "pixels", glance.BYTES)
    if hdu.extension == "IMAGE" and hdu.pcount == 0:
        return _Data(Layout(BITPIX[hdu.bitpix], hdu.shape), "pixels", _PIXELS[hdu.bitpix])
    if tiled := read_tiled(hdu):
        return _Data(Layout(BITPIX[tiled.bitpix], tiled.shape), "pixels", _PIXELS[tiled.bitpix], tiled=tiled)
    return _table(hdu) or _Data(Layout("bytes", (hdu.size,)), "bytes", glance.BYTES)


def _table(hdu: Hdu) -> _Data | None:
    """How to read a table of rows, if there is nothing in it that is not known here."""
    if hdu.extension != "BINTABLE" or len(hdu.shape) != 2:
        return None
    columns = read_columns(hdu.cards)
    if columns is None or not 0 < columns.width == hdu.shape[1] <= LARGEST_ITEM:
        return None
    if hdu.pcount and (not columns.has_heap or hdu.size > _LARGEST_HEAP):
        return None  # what nothing points to is no heap
    return _Data(Layout(columns.form, hdu.shape[:1]), "rows", columns.descr, columns)
