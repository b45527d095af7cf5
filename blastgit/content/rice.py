"""Numbers packed by Rice's algorithm, as FITS compresses images (FITS 4.0, 10.4.1).

Each number is kept as what it adds to the one before: the upper bits as a run of zeros that a one ends, the lower ones
as they are. Python walks through the runs of a tile, which tells where its numbers are; numpy takes them all out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KINDS = {1: (3, 6, "u1"), 2: (4, 14, "i2"), 4: (5, 25, "i4")}
"""By the bytes of a number: the bits that say how a block is packed, what they say if it is not, and numpy's type."""


LARGEST_TILE = 2 << 20
"""Bytes above which a tile is not unpacked, which takes some hundred times as many for a while."""


def unpack(data: bytes, count: int, width: int, block: int) -> NDArray[Any]:
    """Return the numbers of a tile.

    Args:
        data: what they are packed into.
        count: how many there are.
        width: bytes of each, 1, 2 or 4.
        block: how many in a row are packed alike.

    Raises:
        ValueError: the data end too early, are too many, or are packed in another way.
        IndexError: the data end too early.
    """
    if len(data) > LARGEST_TILE:
        raise ValueError(f"a tile of {len(data)} bytes is too large to unpack")
    if width not in _KINDS or block < 1:
        raise ValueError(f"numbers of {width} bytes in blocks of {block} cannot be packed by Rice's algorithm")
    runs, starts, lengths = _places(data[width:], count, width, block)
    steps = (runs << lengths) | _bits(data[width:], starts, lengths)
    steps = np.where(steps & 1, ~(steps >> 1), steps >> 1)
    first = int.from_bytes(data[:width], "big")
    total = (first + np.cumsum(steps)).astype(np.uint64)  # modulo what a number can hold, as it was packed
    return (total & np.uint64((1 << 8 * width) - 1)).astype(f"u{width}").view(_KINDS[width][2])


def _places(
    data: bytes, count: int, width: int, block: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return for each number the zeros before its one, the start of its lower bits, and their count."""
    bits, unpacked, _ = _KINDS[width]
    size = 8 * len(data)
    ones = _next_ones(data)
    runs: list[int] = []
    starts: list[int] = []
    lengths: list[int] = []
    at = 0
    for begin in range(0, count, block):
        many = min(block, count - begin)
        code = (int.from_bytes(data[at >> 3 : (at >> 3) + 2].ljust(2, b"\0"), "big") >> (16 - bits - (at & 7))) & (
            (1 << bits) - 1
        )
        at += bits
        low = 8 * width if code - 1 == unpacked else max(0, code - 1)
        lengths += [low] * many
        if code == 0 or code - 1 == unpacked:
            runs += [0] * many
            starts += range(at, at + low * many, low) if low else [at] * many
            at += low * many
        else:
            for _ in range(many):
                one = ones[at]
                runs.append(one - at)
                starts.append(one + 1)
                at = one + 1 + low
    if at > size:
        raise ValueError("a tile ends early")
    return np.array(runs, np.int64), np.array(starts, np.int64), np.array(lengths, np.int64)


def _next_ones(data: bytes) -> memoryview:
    """For each bit where the next one is, itself included; beyond the end if there is none."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    places = np.where(bits, np.arange(bits.size, dtype=np.int32), np.int32(bits.size))
    return np.ascontiguousarray(np.minimum.accumulate(places[::-1])[::-1]).data


def _bits(data: bytes, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Up to 32 bits from each of some places on, as numbers."""
    padded = np.frombuffer(data + bytes(5), np.uint8)
    window = np.zeros(starts.shape, np.int64)
    for step in range(5):
        window = (window << 8) | padded[(starts >> 3) + step]
    return (window >> (40 - (starts & 7) - lengths)) & ((1 << lengths) - 1)
