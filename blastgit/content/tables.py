"""Rows of binary tables in FITS files (FITS 4.0, 7.3): their columns, and which of their bytes have no meaning.

It says nothing where in the heap an array of varying length lies, and how many bytes tell that; what stands behind the
end of a text, be it blanks or what a NUL cuts off; and which bits fill up the last byte of a row of bits.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from blastgit.content import budget, cards
from blastgit.content.streams import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from blastgit.content.cards import Cards
    from blastgit.content.hdus import Hdu

    Array = NDArray[Any]

_COLUMN = re.compile(
    r"(?P<repeat>\d*)(?P<code>[LBIJKEDCMAX])|(?P<one>[01]?)(?P<place>[PQ])(?P<inner>[LBIJKEDCMA])(\(\d*\))?"
)
_FIELDS = {"L": "S1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8", "C": ">c8", "M": ">c16"}
_WIDTHS = {"L": 1, "B": 1, "I": 2, "J": 4, "K": 8, "E": 4, "D": 8, "C": 8, "M": 16}
_STORAGE = frozenset({"NAXIS1", "PCOUNT", "THEAP"})
_PLACES = {"P": (">i4", 8), "Q": (">i8", 16)}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        field: what its field is called in numpy's description of a row: c1, c2 and so on.
        form: what it holds, as TFORM has it, without what says the same.
        dtype: numpy's description of its elements; of a column of places in the heap, of such a place.
        shape: how many elements a row has; () if they are one text or one row of bits.
        size: bytes in a row.
        inner: what lies in the heap, as TFORM has it, if the column tells where; else "".
        bits: how many bits are in use, if it is of bits.
        is_text: whether it is one text, and not several of a width that TDIM states.
    """

    field: str
    form: str
    dtype: str
    shape: tuple[int, ...]
    size: int
    inner: str = ""
    bits: int = 0
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table; `names` has of each field the TTYPE, for the rules that go by names."""

    columns: tuple[Column, ...]
    names: tuple[tuple[str, str], ...]

    @property
    def form(self) -> str:
        """What they hold."""
        return ",".join(column.form for column in self.columns)

    @property
    def width(self) -> int:
        """Bytes of a row."""
        return sum(column.size for column in self.columns)

    @property
    def descr(self) -> list[tuple[str, str, tuple[int, ...]]]:
        """Numpy's description of a row."""
        return [(column.field, column.dtype, column.shape) for column in self.columns if column.size]

    @property
    def is_plain(self) -> bool:
        """Whether equal values are always the same bytes."""
        return not any(column.inner or column.bits or column.is_text for column in self.columns)

    @property
    def has_heap(self) -> bool:
        """Whether some of them tell where in the heap something lies."""
        return any(column.inner for column in self.columns)


def read_columns(values: Cards) -> Columns | None:
    """The columns of a table, None if one of them is of no kind that is known here."""
    count = cards.integer(values, "TFIELDS")
    if count is None or not 0 < count <= 999:
        return None
    found = []
    for number in range(1, count + 1):
        column = _column(number, cards.string(values, f"TFORM{number}").strip(), f"TDIM{number}" in values)
        if column is None:
            return None
        found.append(column)
    names = ((column.field, cards.string(values, f"TTYPE{column.field[1:]}")) for column in found)
    return Columns(tuple(found), tuple(names))


def _column(number: int, form: str, has_axes: bool) -> Column | None:
    found = _COLUMN.fullmatch(form)
    if found is None:
        return None
    field = f"c{number}"
    if found["place"]:
        if found["one"] == "0":
            return Column(field, f"0P{found['inner']}", "", (), 0)
        dtype, size = _PLACES[found["place"]]
        return Column(field, f"P{found['inner']}", dtype, (2,), size, inner=found["inner"])
    repeat, code = int(found["repeat"] or 1), found["code"]
    form = code if repeat == 1 else f"{repeat}{code}"
    if code == "A":
        return Column(field, form, f"S{repeat}", (), repeat, is_text=not has_axes)
    if code == "X":
        size = -(-repeat // 8)
        return Column(field, form, f"V{size}", (), size, bits=repeat)
    return Column(field, form, _FIELDS[code], (repeat,), repeat * _WIDTHS[code])


def layout_cards(values: Cards) -> Cards:
    """The cards of a table but for those that say nothing more than `Columns` does, or how its heap is kept."""
    count = cards.integer(values, "TFIELDS") or 0
    return {key: each for key, each in values.items() if len(each) > 1 or not _is_storage(key, count)}


def _is_storage(keyword: str, columns: int) -> bool:
    stem, number = cards.indexed(keyword)
    return keyword in _STORAGE or (stem == "TFORM" and 0 < number <= columns)


def heap_start(hdu: Hdu) -> int:
    """Where in the data of a table its heap begins."""
    stated = cards.integer(hdu.cards, "THEAP")
    return math.prod(hdu.shape) if stated is None else stated


def read_rows(file: IO[bytes], hdu: Hdu, columns: Columns, many: int) -> Iterator[Array]:
    """Rows in pieces, so that rows of equal values are equal; an array of varying length is an object in its field.

    Args:
        file: an open file.
        hdu: a table in it.
        columns: the columns of that.
        many: rows in a piece.

    Raises:
        ValueError: an array is not in the heap, or there are too many.
    """
    import numpy as np

    given = [column for column in columns.columns if column.size]
    kinds = [(column.field, "O") if column.inner else (column.field, column.dtype, column.shape) for column in given]
    dtype, clean_dtype = np.dtype(columns.descr), np.dtype(kinds)
    heap = _Heap(Window(file, hdu.offset, hdu.size).read(hdu.size)[heap_start(hdu) :] if columns.has_heap else b"")
    table = Window(file, hdu.offset, math.prod(hdu.shape))
    while data := table.read(many * columns.width):
        piece = np.frombuffer(data, dtype)
        clean = np.empty(piece.shape, clean_dtype)
        for column in given:
            clean[column.field] = _clean(column, piece[column.field], heap)
        yield clean


def _clean(column: Column, values: Array, heap: _Heap) -> Array:
    """The values of a column without what says nothing."""
    if column.inner:
        return heap.arrays(column.inner, values)
    if column.is_text:
        return _texts(values)
    return _in_use(values, column.bits) if column.bits else values


class _Heap:
    """What arrays of varying length are taken from, with what is left of its budget."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._arrays = budget.Work(budget.ARRAYS, "arrays of varying length")
        self._bytes = budget.Work(budget.most_unpacked(len(data)), "bytes of arrays of varying length")

    def arrays(self, code: str, places: Array) -> Array:
        import numpy as np

        dtype = np.dtype(_FIELDS.get(code, "S1"))
        self._arrays.spend(len(places))
        found = np.empty(len(places), object)
        for at, (count, start) in enumerate(places.tolist()):
            if count < 0 or start < 0 or start + count * dtype.itemsize > len(self._data):
                raise ValueError("an array of a table is not in its heap")
            self._bytes.spend(count * dtype.itemsize)
            found[at] = np.frombuffer(self._data, dtype, count, start) if count else np.empty(0, dtype)
        return found


def _texts(values: Array) -> Array:
    """Texts of which what stands behind the first NUL is blanks; but none at all, a NUL alone, is no blanks."""
    import numpy as np

    letters = _bytes(values)
    behind = np.logical_or.accumulate(letters == 0, axis=1)
    letters[behind] = ord(" ")
    letters[behind[:, 0]] = 0
    return letters.reshape(-1).view(values.dtype)


def _in_use(values: Array, bits: int) -> Array:
    """Rows of bits of which those behind the last one in use are not set."""
    flags = _bytes(values)
    flags[:, -1] &= 0xFF << (-bits % 8) & 0xFF
    return flags.reshape(-1).view(values.dtype)


def _bytes(values: Array) -> Array:
    """A copy of the bytes of texts and the like, a row each."""
    import numpy as np

    return np.array(values, order="C").view(np.uint8).reshape(len(values), values.dtype.itemsize)
