"""Limits on the work of comparing one file, since a small file can stand for any amount of it.

It is counted in what there is to do, bytes to unpack and things to look at, and not in seconds: the same two files get
the same verdict on every machine, however busy it is. Each limit stands for some seconds, and is far beyond what
instruments and programs write; what goes beyond it is compared as bytes, with a note.
"""

from __future__ import annotations

MEMBERS = 5_000
"""Members of an archive."""

HDUS, HEADERS = 10_000, 32 << 20
"""HDUs of a FITS file, and bytes of all their headers."""

ARRAYS, TILED = 200_000, 8 << 20
"""Arrays of varying length in a FITS table, and pixels of an image that is stored in tiles."""

OBJECTS, CHUNKS = 20_000, 200_000
"""Groups, datasets and attributes of an HDF5 file, and chunks of one of its datasets."""

UNPACKED, RATIO = 1 << 30, 50
"""Bytes that any file may stand for, and those for each byte of a large one."""


def most_unpacked(size: int) -> int:
    """Return how many bytes a file of a size may stand for."""
    return max(UNPACKED, RATIO * size)


class Work:
    """The rest of a budget while a file is read."""

    def __init__(self, most: int, noun: str) -> None:
        """Allow at most `most` items."""
        self._left = self._most = most
        self._noun = noun

    def spend(self, count: int) -> None:
        """Spend part of it.

        Raises:
            ValueError: The budget is exhausted.
        """
        self._left -= count
        if self._left < 0:
            raise ValueError(f"more than {self._most:,} {self._noun}")
