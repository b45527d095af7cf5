"""Streaming reader for the structure of FITS files: strict about what must be there, lenient about what only fills."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from blastgit.content import budget, cards
from blastgit.content.cards import BLANK, CARD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastgit.content.cards import Cards, CardValue

BLOCK = 2880
LARGEST_HEADER = 4 << 20
BITPIX = {8: "uint8", 16: "int16", 32: "int32", 64: "int64", -32: "float32", -64: "float64"}
_END = re.compile(rb"END[ \0]{5}")
_FILL = BLANK.encode("ascii")


class FitsError(ValueError):
    """A file is not well-formed FITS."""


@dataclass(frozen=True, slots=True)
class Hdu:
    """Where the header and data of one HDU are and how the data are laid out.

    Attributes:
        index: 0 for the primary HDU.
        extension: ``IMAGE``, ``BINTABLE``...; the primary HDU is an ``IMAGE``.
        header: its cards, padded.
        cards: their values.
        bitpix: FITS number of the data type.
        shape: lengths of the axes, slowest first.
        pcount: bytes (tables) or parameters (random groups) beside the array.
        offset: where the data start in the file.
        size: bytes of data without padding.
    """

    index: int
    extension: str
    header: bytes
    cards: Cards
    bitpix: int
    shape: tuple[int, ...]
    pcount: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        """Where the next HDU starts."""
        return self.offset + -(-self.size // BLOCK) * BLOCK


def hdus(file: IO[bytes]) -> Iterator[Hdu]:
    """HDUs of an open file, one by one; the data are not read. What may move the file's position meanwhile is harmless.

    Raises:
        FitsError: the file is truncated or malformed, raised when reaching that place.
        OSError: the file cannot be read.
    """
    length = file.seek(0, os.SEEK_END)
    offset = index = headers = 0
    while offset < length or index == 0:
        if index and _is_fill(file, offset):
            return
        header = _header(file, offset, length, index)
        headers += len(header)
        if index >= budget.HDUS or headers > budget.HEADERS:
            raise FitsError(f"FITS of more than {budget.HDUS:,} HDUs or {budget.HEADERS:,} bytes of headers")
        hdu = _hdu(index, header, offset + len(header))
        if hdu.size and hdu.offset + hdu.size > length:
            raise FitsError(f"truncated FITS: {length} of {hdu.end} bytes")
        yield hdu
        offset = hdu.end
        index += 1


def sloppiness(file: IO[bytes]) -> list[str]:
    """What is not as the standard wants it in a file that can be read completely all the same."""
    found = []
    end = 0
    for hdu in hdus(file):
        end = hdu.end
        if b"\0" in hdu.header:
            found.append(f"NULs in the header of HDU {hdu.index}")
        if "END" in hdu.cards:
            found.append(f"text behind the END of HDU {hdu.index}")
    length = file.seek(0, os.SEEK_END)
    if length < end:
        found.append("last block not padded")
    elif length > end:
        found.append(f"{length - end} bytes of fill behind the last HDU")
    return found


def _is_fill(file: IO[bytes], offset: int) -> bool:
    """Whether from here on there is nothing but blocks of NULs or spaces."""
    file.seek(offset)
    while block := file.read(1 << 20):
        if block.strip(_FILL):
            return False
    return True


def _header(file: IO[bytes], offset: int, length: int, index: int) -> bytes:
    """The blocks of a header through the one with its END card; the last block of a file may be cut behind that."""
    file.seek(offset)
    blocks: list[bytes] = []
    while not blocks or not _ends(blocks[-1]):
        block = file.read(BLOCK)
        if not blocks and not block.startswith(b"XTENSION=" if index else b"SIMPLE  ="):
            msg = f"malformed FITS: {length - offset} unexpected bytes at {offset}" if index else "not FITS"
            raise FitsError(msg if length else "empty file")
        if len(block) < BLOCK and not _ends(block):
            raise FitsError(f"truncated FITS: header without END in {length} bytes")
        blocks.append(block.ljust(BLOCK))
        if len(blocks) * BLOCK > LARGEST_HEADER:
            raise FitsError(f"malformed FITS: header above {LARGEST_HEADER} bytes")
    return b"".join(blocks)


def _ends(block: bytes) -> bool:
    """Whether a block holds the END card, not just that word; a file may end right behind the word."""
    padded = block.ljust(BLOCK)
    return any(found.start() % CARD == 0 for found in _END.finditer(padded))


def _hdu(index: int, header: bytes, offset: int) -> Hdu:
    values = cards.parse(header)
    extension = cards.string(values, "XTENSION") if index else "IMAGE"
    grouped = cards.logical(values, "GROUPS")
    shape = _shape(values)
    pcount, gcount = 0, 1
    if index or grouped:
        pcount, gcount = _integer(values, "PCOUNT", 0), _integer(values, "GCOUNT", 1)
    bitpix = _integer(values, "BITPIX", 0)
    if bitpix not in BITPIX or pcount < 0 or gcount < 0:
        raise FitsError(f"malformed FITS: BITPIX {bitpix}, PCOUNT {pcount}, GCOUNT {gcount} in HDU {index}")
    # Random groups are marked by a fastest axis of length 0, which does not count.
    axes = shape[:-1] if grouped and shape and shape[-1] == 0 else shape
    elements = math.prod(axes) if axes else 0
    size = abs(bitpix) // 8 * gcount * (pcount + elements)
    plain = grouped or gcount != 1
    return Hdu(index, "GROUPS" if plain else extension, header, values, bitpix, shape, pcount, offset, size)


def _shape(values: Cards) -> tuple[int, ...]:
    count = _integer(values, "NAXIS", -1)
    if not 0 <= count <= 999:
        raise FitsError(f"malformed FITS: {count} axes")
    lengths = [_integer(values, f"NAXIS{axis}", -1) for axis in range(count, 0, -1)]
    if any(length < 0 for length in lengths):
        raise FitsError(f"malformed FITS: {count} axes of lengths {lengths}")
    return tuple(lengths)


def _integer(values: Cards, keyword: str, default: int) -> int:
    """The integer that a card of the structure states; one without a value indicator is commentary."""
    stated = next((value for value in values.get(keyword, []) if not _is_commentary(value)), None)
    if stated is None:
        return default
    number = cards.integer({keyword: [stated]}, keyword)
    if number is None:
        raise FitsError(f"malformed FITS: {keyword} is not an integer")
    return number


def _is_commentary(value: CardValue) -> bool:
    return isinstance(value, cards.Text) and not value.text.startswith("= ")
