"""Comparison of byte streams in pieces, without numpy until bytes differ."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

CHUNK = 1 << 20
LARGEST_ITEM = 16 * CHUNK
"""Bytes above which one element (a table row, a string) is not taken as a whole into memory."""


class Reader(Protocol):
    """Anything that can be read forward; returns fewer bytes than asked only at its end."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes."""


class Window:
    """The part of an open file that starts at an offset and has a given size."""

    def __init__(self, file: IO[bytes], offset: int, size: int) -> None:
        """Move ``file`` to ``offset``; nothing else may read it meanwhile."""
        file.seek(offset)
        self._file = file
        self._left = size

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes of the window."""
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


def pairs(old: Reader, new: Reader, step: int = CHUNK) -> Iterator[tuple[int, bytes, bytes]]:
    """Offset and bytes of every piece that differs between two streams.

    Args:
        old: first stream.
        new: second stream; where one is shorter its piece is shorter or empty.
        step: bytes in a piece.
    """
    offset = 0
    while True:
        before, after = old.read(step), new.read(step)
        if before != after:
            yield offset, before, after
        if not before and not after:
            return
        offset += step


def identical(old: Reader, new: Reader) -> bool:
    """Whether two streams hold the same bytes; stops at the first difference."""
    return next(pairs(old, new), None) is None


def arrays(
    old: Reader, new: Reader, dtype: np.dtype[Any], other: np.dtype[Any]
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Pieces that differ between two streams of equal length, as flat arrays.

    Args:
        old: first stream.
        new: second stream.
        dtype: type of the first stream.
        other: type of the second stream; may differ from the first in byte order only.

    Raises:
        ValueError: the streams end at different places or within an element.
    """
    import numpy as np

    step = max(1, CHUNK // dtype.itemsize) * dtype.itemsize
    for _, before, after in pairs(old, new, step):
        if len(before) != len(after):
            raise ValueError("ends early")
        yield np.frombuffer(before, dtype), np.frombuffer(after, other)
