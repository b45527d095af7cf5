"""Detects from a few elements that two arrays differ, which is enough for most changed files.

Importing numpy takes longer than comparing most files. It is needed only where the first differences are noise,
or where elements are neither integers nor common floats.
"""

from __future__ import annotations

import struct
from itertools import islice
from math import isfinite, isnan
from typing import TYPE_CHECKING

from blastgit.content.streams import pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastgit.content.model import Bounds
    from blastgit.content.streams import Reader

LOOKS = 64
"""Differing elements to look at before leaving the matter to numpy."""

_FLOATS = {"<f4": "<f", ">f4": ">f", "<f8": "<d", ">f8": ">d"}
_INTEGERS = {f"{order}{sign}{size}": f"{name}{8 * size}"
             for order in "<>" for sign, name in (("i", "int"), ("u", "uint")) for size in (2, 4, 8)}  # fmt: skip
NAMES = {"|b1": "bool", "|i1": "int8", "|u1": "uint8"} | _INTEGERS | {d: f"float{8 * int(d[2])}" for d in _FLOATS}
"""What numpy calls the plain types, by their description in ``.npy`` headers; the last digit is the size in bytes."""

BYTES = "|V1"
"""Description of plain bytes."""


def differ(old: Reader, new: Reader, descr: object, bounds: Bounds) -> bool | None:
    """Whether two streams of elements of one type differ, if a quick look can tell.

    The rule is that of `blastgit.content.tolerance.changed`.

    Args:
        old: first stream.
        new: second stream.
        descr: numpy's description of the type.
        bounds: how far apart floats may be.

    Returns:
        False if the bytes are the same, True if some element surely differs, None if it takes numpy to tell.
    """
    piece = next(pairs(old, new), None)
    if piece is None:
        return False
    _, before, after = piece
    if not isinstance(descr, str) or len(before) != len(after):
        return None
    if descr in _FLOATS:
        return any(not _close(*pair, bounds) for pair in _floats(before, after, _FLOATS[descr])) or None
    return descr == BYTES or descr in NAMES or None


def _floats(old: bytes, new: bytes, code: str) -> Iterator[tuple[float, float]]:
    """The first pairs of floats whose bytes differ."""
    element = struct.Struct(code)
    for start in islice(_differing(old, new, element.size), LOOKS):
        yield element.unpack_from(old, start)[0], element.unpack_from(new, start)[0]


def _differing(old: bytes, new: bytes, size: int) -> Iterator[int]:
    """Where elements differ, from the first on, by halving the spans that do."""
    spans = [(0, len(old))]
    while spans:
        start, end = spans.pop()
        if old[start:end] == new[start:end]:
            continue
        if end - start <= size:
            yield start
        else:
            middle = start + (end - start) // size // 2 * size
            spans += [(middle, end), (start, middle)]


def _close(old: float, new: float, bounds: Bounds) -> bool:
    if isfinite(old) and isfinite(new):
        return bounds.near(old, new)
    return old == new or (isnan(old) and isnan(new))
