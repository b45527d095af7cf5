"""Reading the image of a FITS file at a size fit for a screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from blastgit.content import cards
from blastgit.content.hdus import hdus
from blastgit.content.packed import opened

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from blastgit.content.cards import Cards
    from blastgit.content.hdus import Hdu

LARGEST_SIDE = 1024
_LARGEST_ROW = 64 << 20
_TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}


@dataclass(frozen=True, slots=True)
class Image:
    """An image in physical units.

    Attributes:
        pixels: values (y, x) from the bottom up, NaN where undefined or infinite; no side is above 1024.
        shape: (height, width) in the file.
        factor: each value is the mean of this many pixels squared; 1 unless the image is larger than 1024.
        unit: physical unit (BUNIT), perhaps empty.
        cards: the values of its header.
    """

    pixels: NDArray[np.float64]
    shape: tuple[int, int]
    factor: int
    unit: str
    cards: Cards = field(default_factory=dict, repr=False)


def first_image(path: Path) -> Image | None:
    """The first image of a FITS file (the first plane of a cube), None if it has none.

    Raises:
        FitsError: the file is truncated or malformed.
        OSError: the file cannot be read.
    """
    with opened(path) as file:
        for hdu in hdus(file):
            if hdu.extension == "IMAGE" and hdu.pcount == 0 and hdu.size:
                return _image(file, hdu)
    return None


def _image(file: IO[bytes], hdu: Hdu) -> Image | None:
    height, width = (1, *hdu.shape)[-2:]
    factor = -(-max(height, width) // LARGEST_SIDE)
    dtype = np.dtype(_TYPES[hdu.bitpix])
    if width * dtype.itemsize > _LARGEST_ROW:
        return None
    columns = np.arange(0, width, factor)
    total = np.zeros((-(-height // factor), columns.size))
    count = np.zeros_like(total)
    file.seek(hdu.offset)
    for row in range(height):
        physical = _physical(np.frombuffer(file.read(width * dtype.itemsize), dtype), hdu.cards)
        known = np.isfinite(physical)
        total[row // factor] += np.add.reduceat(np.where(known, physical, 0.0), columns)
        count[row // factor] += np.add.reduceat(known.astype(np.float64), columns)
    pixels = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return Image(pixels, (height, width), factor, cards.string(hdu.cards, "BUNIT"), hdu.cards)


def _physical(raw: NDArray[Any], values: Cards) -> NDArray[np.float64]:
    """Raw values of a row scaled to physical units, with BLANK as NaN."""
    physical = raw.astype(np.float64)
    if raw.dtype.kind in "iu" and "BLANK" in values:
        physical[raw == cards.number(values, "BLANK", 0.0)] = np.nan
    with np.errstate(all="ignore"):
        return physical * cards.number(values, "BSCALE", 1.0) + cards.number(values, "BZERO", 0.0)
