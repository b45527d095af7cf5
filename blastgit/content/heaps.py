"""Global heaps of HDF5 files, which hold strings and arrays of varying length.

The HDF5 library walks a heap from object to object by the length that each states. In a damaged one it may never get
to the end: an object of no length leads to itself, and one that is too long overflows. So heaps are walked here first.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

from blastgit.content.budget import Work

if TYPE_CHECKING:
    from pathlib import Path

_HEAP = b"GCOL\x01\0\0\0"


def heap_fault(path: Path, width: int) -> str | None:
    """What is wrong with a global heap of a file, if anything is.

    Args:
        path: The file, which is not empty.
        width: Bytes of the lengths in it.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_HEAP)
        steps = Work(len(data) // 8 + 1, "objects in heaps, which overlap")  # one has 8 bytes at least
        while at >= 0:
            try:
                has_end = _has_end(data, at, width, steps)
            except ValueError as error:
                return f"malformed HDF5: {error}"
            if not has_end:
                return f"malformed HDF5: the heap at byte {at} has an object without end"
            at = data.find(_HEAP, at + 1)
    return None


def _has_end(data: mmap.mmap, at: int, width: int, steps: Work) -> bool:
    """Whether the walk through the heap at byte `at` ends. An object has a head and its bytes, in steps of 8."""
    head = 8 + width
    size = int.from_bytes(data[at + 8 : at + head], "little")
    end, at = min(at + size, len(data)), at + head
    while at + head <= end:
        steps.spend(1)
        is_free = data[at : at + 2] == b"\0\0"
        length = int.from_bytes(data[at + 8 : at + head], "little")
        if length > size or (is_free and not length):
            return False
        at += length if is_free else head + (length + 7) // 8 * 8
    return True
