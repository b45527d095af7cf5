"""Streaming reader for the structure of FITS files."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from blastgit.content.cards import CARD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK = 2880
LARGEST_HEADER = 16 << 20
BITPIX = {8: "uint8", 16: "int16", 32: "int32", 64: "int64", -32: "float32", -64: "float64"}
_STRUCTURAL = frozenset({b"BITPIX  ", b"PCOUNT  ", b"GCOUNT  ", b"TFIELDS "})


class FitsError(ValueError):
    """A file is not well-formed FITS."""


@dataclass(frozen=True, slots=True)
class Hdu:
    """Where the header and data of one HDU are and how the data are laid out.

    Attributes:
        index: 0 for the primary HDU.
        extension: ``IMAGE``, ``BINTABLE``...; the primary HDU is an ``IMAGE``.
        header: its cards, padded.
        bitpix: FITS number of the data type.
        shape: lengths of the axes, slowest first.
        pcount: bytes (tables) or parameters (random groups) beside the array.
        offset: where the data start in the file.
        size: bytes of data without padding.
    """

    index: int
    extension: str
    header: bytes
    bitpix: int
    shape: tuple[int, ...]
    pcount: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        """Where the next HDU starts."""
        return self.offset + -(-self.size // BLOCK) * BLOCK


def hdus(path: Path) -> Iterator[Hdu]:
    """HDUs of a file, one by one; the data are not read.

    Raises:
        FitsError: the file is truncated or malformed, raised when reaching that place.
        OSError: the file cannot be read.
    """
    with path.open("rb", buffering=0) as file:  # it is read in blocks anyway
        length = os.fstat(file.fileno()).st_size
        offset = index = 0
        while offset < length or index == 0:
            header = _header(file, offset, length, index)
            hdu = _hdu(index, header, offset + len(header))
            if hdu.end > length:
                raise FitsError(f"truncated FITS: {length} of {hdu.end} bytes")
            yield hdu
            offset = hdu.end
            index += 1


def _header(file: IO[bytes], offset: int, length: int, index: int) -> bytes:
    """The blocks of a header through the one with its END card."""
    file.seek(offset)
    header = b""
    blocks: list[bytes] = []
    while not _ends(header):
        header = file.read(BLOCK)
        if not blocks and not header.startswith(b"XTENSION=" if index else b"SIMPLE  ="):
            msg = f"malformed FITS: {length - offset} unexpected bytes at {offset}" if index else "not FITS"
            raise FitsError(msg if length else "empty file")
        if len(header) < BLOCK:
            raise FitsError(f"truncated FITS: header without END in {length} bytes")
        blocks.append(header)
        if len(blocks) * BLOCK > LARGEST_HEADER:
            raise FitsError(f"malformed FITS: header above {LARGEST_HEADER} bytes")
    return b"".join(blocks)


def _ends(block: bytes) -> bool:
    """Whether a block holds the END card, not just that word."""
    at = block.find(b"END     ")
    while at > 0 and at % CARD:
        at = block.find(b"END     ", at + 1)
    return at >= 0


def _hdu(index: int, header: bytes, offset: int) -> Hdu:
    extension = _extension(header) if index else "IMAGE"
    numbers, grouped = _structure(header)
    shape = _shape(numbers)
    pcount, gcount = (numbers.get("PCOUNT", 0), numbers.get("GCOUNT", 1)) if index or grouped else (0, 1)
    bitpix = numbers.get("BITPIX", 0)
    if bitpix not in BITPIX or pcount < 0 or gcount < 0:
        raise FitsError(f"malformed FITS: BITPIX {bitpix}, PCOUNT {pcount}, GCOUNT {gcount} in HDU {index}")
    # Random groups are marked by a fastest axis of length 0, which does not count.
    axes = shape[:-1] if grouped and shape and shape[-1] == 0 else shape
    elements = math.prod(axes) if axes else 0
    size = abs(bitpix) // 8 * gcount * (pcount + elements)
    plain = grouped or gcount != 1
    return Hdu(index, "GROUPS" if plain else extension, header, bitpix, shape, pcount, offset, size)


def _extension(header: bytes) -> str:
    return header[10:CARD].partition(b"/")[0].decode("latin-1").strip().strip("'").rstrip()


def _structure(header: bytes) -> tuple[dict[str, int], bool]:
    """The integers that determine the layout, and whether these are random groups."""
    numbers = {}
    grouped = False
    for start in range(0, len(header), CARD):
        keyword = header[start : start + 8]
        if keyword in _STRUCTURAL or keyword.startswith(b"NAXIS"):
            numbers[keyword.decode("latin-1").rstrip()] = _integer(header[start : start + CARD])
        elif keyword == b"GROUPS  ":
            grouped = header[start + 10 : start + CARD].partition(b"/")[0].strip() == b"T"
        elif keyword == b"END     ":
            break
    return numbers, grouped


def _integer(card: bytes) -> int:
    try:
        return int(card[10:].partition(b"/")[0])
    except ValueError as error:
        raise FitsError(f"malformed FITS: {card.decode('latin-1').strip()!r} is not an integer") from error


def _shape(numbers: dict[str, int]) -> tuple[int, ...]:
    count = numbers.get("NAXIS", -1)
    lengths = [numbers.get(f"NAXIS{axis}", -1) for axis in range(min(count, 999), 0, -1)]
    if not 0 <= count <= 999 or any(length < 0 for length in lengths):
        raise FitsError(f"malformed FITS: {count} axes of lengths {lengths}")
    return tuple(lengths)
