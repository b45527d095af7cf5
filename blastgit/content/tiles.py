"""Images that a FITS file stores in compressed tiles (FITS 4.0, 10.1), as the images that they are.

Packed by Rice's algorithm or gzip, or not at all; fractions that were rounded to be packed come out as every reader has
them. Those packed in other ways (PLIO_1, HCOMPRESS_1) are not unpacked, and are tables of bytes.
"""

from __future__ import annotations

import itertools
import math
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from blastgit.content import budget, cards
from blastgit.content.tables import read_columns, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from blastgit.content.cards import Cards
    from blastgit.content.hdus import Hdu
    from blastgit.content.tables import Columns

    Array = NDArray[Any]

PACKINGS = frozenset({"RICE_1", "RICE_ONE", "GZIP_1", "GZIP_2", "NOCOMPRESS"})
_ROUNDINGS = frozenset({"", "NONE", "NO_DITHER", "SUBTRACTIVE_DITHER_1", "SUBTRACTIVE_DITHER_2"})
_DATA = ("COMPRESSED_DATA", "GZIP_COMPRESSED_DATA", "UNCOMPRESSED_DATA")
_COLUMNS = frozenset({*_DATA, "ZSCALE", "ZZERO", "ZBLANK"})
_STORAGE = frozenset({
    "SIMPLE", "XTENSION", "EXTEND", "BITPIX", "NAXIS", "PCOUNT", "GCOUNT", "THEAP", "TFIELDS", "ZIMAGE", "ZCMPTYPE",
    "ZBITPIX", "ZNAXIS", "ZMASKCMP", "ZQUANTIZ", "ZDITHER0", "ZSIMPLE", "ZTENSION", "ZEXTEND", "ZBLOCKED", "ZPCOUNT",
    "ZGCOUNT", "ZBLANK", "ZSCALE", "ZZERO", "ZHECKSUM", "ZDATASUM",
})  # fmt: skip
_COUNTED = {"NAXIS": "NAXIS", "ZNAXIS": "ZNAXIS", "ZTILE": "ZNAXIS", "TTYPE": "TFIELDS", "TFORM": "TFIELDS"}
"""Cards that say how an image is stored, and nothing of what it shows; and numbered ones, with how many there are."""
_COVER = {"SIMPLE", "BITPIX", "NAXIS", "EXTEND", "COMMENT", "DATE", "CHECKSUM", "DATASUM"}
_BANNER = ("  FITS (Flexible Image Transport System) format is defined in", "  and Astrophysics', volume 376, page")
_PIXELS = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_RANDOM = 10_000
_ZERO = -2147483646  # stands for a pixel that is exactly 0, by SUBTRACTIVE_DITHER_2


def image_cards(values: Cards) -> Cards:
    """The cards of an image, stored in tiles or not, without those that say how it is stored."""
    found = {keyword: each for keyword, each in values.items() if len(each) > 1 or not _is_storage(keyword, values)}
    if "ZBLANK" in values and (cards.integer(values, "ZBITPIX") or 0) > 0:
        found["ZBLANK"] = values["ZBLANK"]  # of integers it says which are undefined, and is not part of the packing
    if found.get("EXTNAME") == ["COMPRESSED_IMAGE"]:  # what programs call one without a name
        del found["EXTNAME"]
    return found


def _is_storage(keyword: str, values: Cards) -> bool:
    stem, number = cards.indexed(keyword)
    if keyword in _STORAGE or stem in ("ZNAME", "ZVAL"):
        return True
    return stem in _COUNTED and 0 < number <= (cards.integer(values, _COUNTED[stem]) or 0)


@dataclass(frozen=True, slots=True)
class Tiled:
    """An image in tiles.

    Attributes:
        hdu: the table that it is stored in.
        columns: the columns of that.
        bitpix: FITS number of the type of its pixels.
        shape: lengths of its axes, slowest first.
        tile: those of a tile that is not cut off by the edge.
    """

    hdu: Hdu
    columns: Columns
    bitpix: int
    shape: tuple[int, ...]
    tile: tuple[int, ...]

    @property
    def packing(self) -> str:
        """How it is packed."""
        return cards.string(self.hdu.cards, "ZCMPTYPE")

    def pixels(self, file: IO[bytes]) -> bytes:
        """The pixels as a file without tiles would have them.

        Raises:
            ValueError: the tiles are damaged.
        """
        import numpy as np

        dtype = np.dtype(_PIXELS[self.bitpix])
        image = np.empty(self.shape, dtype)
        unpacking = _Unpacking(self)
        grid = [range(0, length, step) for length, step in zip(self.shape, self.tile, strict=True)]
        for number, (row, corner) in enumerate(zip(_rows(self, file), itertools.product(*grid), strict=True)):
            place = tuple(slice(start, start + step) for start, step in zip(corner, self.tile, strict=True))
            image[place] = unpacking.tile(number, row, image[place].size).reshape(image[place].shape)
        return image.tobytes()

    @property
    def was_primary(self) -> bool:
        """Whether it is what was the primary HDU before it was packed."""
        return cards.logical(self.hdu.cards, "ZSIMPLE")

    @property
    def storage(self) -> Cards:
        """The cards that say how it is stored."""
        values = self.hdu.cards
        return {keyword: each for keyword, each in values.items() if _is_storage(keyword, values)}


def is_cover(hdu: Hdu) -> bool:
    """Whether a primary HDU says nothing: what programs put before a primary image that they have packed in tiles."""
    text = [each for each in hdu.cards.get("COMMENT", []) if not str(getattr(each, "text", "")).startswith(_BANNER)]
    return hdu.index == 0 and not hdu.size and not text and hdu.cards.keys() <= _COVER


def read_tiled(hdu: Hdu) -> Tiled | None:
    """The image that a table stores; None if it stores none, or one that is not unpacked here."""
    values = hdu.cards
    if hdu.extension != "BINTABLE" or not cards.logical(values, "ZIMAGE") or len(hdu.shape) != 2:
        return None
    bitpix, axes = cards.integer(values, "ZBITPIX"), cards.integer(values, "ZNAXIS")
    columns = _tile_columns(hdu)
    if columns is None or bitpix not in _PIXELS or axes is None or not 0 < axes <= 9:
        return None
    shape = tuple(cards.integer(values, f"ZNAXIS{axis}") or 0 for axis in range(axes, 0, -1))
    whole = {1: shape[-1]}  # by default a tile is a row
    tile = tuple(cards.integer(values, f"ZTILE{axis}") or whole.get(axis, 1) for axis in range(axes, 0, -1))
    if min(shape + tile) < 1 or math.prod(shape) > budget.TILED:
        return None
    return Tiled(hdu, columns, bitpix, shape, tile)


def _tile_columns(hdu: Hdu) -> Columns | None:
    """The columns of a table of tiles; None if they are packed in a way, or come with something, not known here."""
    values = hdu.cards
    if cards.string(values, "ZCMPTYPE") not in PACKINGS or cards.string(values, "ZQUANTIZ") not in _ROUNDINGS:
        return None
    columns = read_columns(values)
    if columns is None or columns.width != hdu.shape[1]:
        return None
    names = [name for _, name in columns.names]
    return columns if _COLUMNS.issuperset(names) and len(names) == len(set(names)) else None


def _rows(tiled: Tiled, file: IO[bytes]) -> Iterator[dict[str, Any]]:
    """For each tile what the table has of it, by the names of its columns."""
    columns = tiled.columns
    names = {field: name for field, name in columns.names if field in {each[0] for each in columns.descr}}
    for piece in read_rows(file, tiled.hdu, columns, 1000):
        for row in piece:
            yield {name: row[field] for field, name in names.items()}


class _Unpacking:
    """How the tiles of an image are unpacked."""

    def __init__(self, tiled: Tiled) -> None:
        import numpy as np

        values = tiled.hdu.cards
        self._cards = values
        self._packing = tiled.packing
        self._dtype = np.dtype(_PIXELS[tiled.bitpix])
        parameters = {cards.string(values, f"ZNAME{n}"): cards.integer(values, f"ZVAL{n}") for n in range(1, 10)}
        self._block = parameters.get("BLOCKSIZE") or 32
        self._width = parameters.get("BYTEPIX") or 4
        self._rounding = cards.string(values, "ZQUANTIZ")
        self._first = cards.integer(values, "ZDITHER0") or 1
        self._random = _random() if self._rounding.startswith("SUBTRACTIVE") else None

    def tile(self, number: int, row: dict[str, Any], count: int) -> Array:
        """The pixels of a tile."""
        scale, zero = (self._parameter(row, name) for name in ("ZSCALE", "ZZERO"))
        is_rounded = self._dtype.kind == "f" and scale is not None
        packed, gzipped, plain = (row.get(name, b"") for name in _DATA)
        if len(packed):
            numbers = self._numbers(packed.tobytes(), count, is_rounded=is_rounded)
        elif len(gzipped):
            return _of_size(_gunzip(gzipped.tobytes(), count * 8), self._dtype, count)
        else:
            return _of_size(plain.tobytes() if len(plain) else b"", self._dtype, count)
        if not is_rounded:
            return numbers
        blank = self._parameter(row, "ZBLANK")
        return self._fractions(number, numbers, float(scale), float(zero or 0.0), blank)

    def _parameter(self, row: dict[str, Any], name: str) -> Any:
        """What the row says of a tile, or the header of all."""
        value = row.get(name)
        if value is not None:
            return value[0]
        return cards.number(self._cards, name, 0.0) if name in self._cards else None

    def _numbers(self, data: bytes, count: int, *, is_rounded: bool) -> Array:
        import numpy as np

        dtype = np.dtype(">i4") if is_rounded else self._dtype
        if self._packing.startswith("RICE"):
            from blastgit.content.rice import unpack

            if dtype.kind == "f":
                raise ValueError("fractions that were not rounded cannot be packed by Rice's algorithm")
            return unpack(data, count, self._width, self._block)
        if self._packing != "NOCOMPRESS":
            data = _gunzip(data, count * 8)
        if self._packing == "GZIP_2" and len(data) % count == 0:
            data = np.frombuffer(data, np.uint8).reshape(-1, count).T.tobytes()
        if dtype.kind == "i" and len(data) != count * dtype.itemsize and len(data) in (2 * count, 4 * count, 8 * count):
            dtype = np.dtype(f">i{len(data) // count}")
        return _of_size(data, dtype, count)

    def _fractions(self, number: int, numbers: Array, scale: float, zero: float, blank: Any) -> Array:
        import numpy as np

        values = numbers.astype(np.float64)
        if self._random is not None:
            values = values - _dither(self._random, number + self._first - 1, values.size) + 0.5
        values = values * scale + zero
        if self._rounding == "SUBTRACTIVE_DITHER_2":
            values[numbers == _ZERO] = 0.0
        if blank is not None:
            values[numbers == int(blank)] = np.nan
        return values.astype(self._dtype)


def _gunzip(data: bytes, most: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=47)
    found = unpacker.decompress(data, most + 1)
    if not unpacker.eof:
        raise ValueError("a tile is damaged, or larger than it can be")
    return found


def _of_size(data: bytes, dtype: np.dtype[Any], count: int) -> Array:
    import numpy as np

    if len(data) != count * dtype.itemsize:
        raise ValueError(f"a tile has {len(data)} bytes for {count} pixels")
    return np.frombuffer(data, dtype)


def _random() -> Array:
    """The random numbers by which fractions are rounded (FITS 4.0, appendix I)."""
    import numpy as np

    seed = 1
    found = np.empty(_RANDOM, np.float32)
    for at in range(_RANDOM):
        seed = seed * 16807 % 2147483647
        found[at] = seed / 2147483647
    return found


def _dither(random: Array, number: int, count: int) -> Array:
    """What was added to each pixel of a tile before it was rounded."""
    import numpy as np

    line = number % _RANDOM
    pieces, have = [], 0
    while have < count:
        piece = random[int(random[line] * 500) :]
        pieces.append(piece)
        have += len(piece)
        line = (line + 1) % _RANDOM
    return np.concatenate(pieces)[:count].astype(np.float64)
