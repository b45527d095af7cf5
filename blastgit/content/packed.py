"""Files that are compressed as a whole, whatever their name: astronomers' readers open them anyway."""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from importlib import import_module
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from blastgit.content.budget import most_unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KINDS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ": "lzma"}
_CHUNK = 1 << 20


class PackedError(ValueError):
    """A compressed file cannot be unpacked."""


def packing(path: Path) -> str | None:
    """How a file is compressed: ``gzip``, ``bz2`` or ``lzma``; None if it is not."""
    with path.open("rb") as file:
        start = file.read(8)
    return next((kind for magic, kind in _KINDS.items() if start.startswith(magic)), None)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """A file open for reading, unpacked if it is compressed.

    Raises:
        PackedError: it is damaged, or would be too large.
        OSError: it cannot be read.
    """
    kind = packing(path)
    if kind is None:
        with path.open("rb") as file:
            yield file
        return
    with TemporaryFile(prefix="blastgit-") as file:
        _unpack(path, kind, file)
        file.seek(0)
        yield file


def _unpack(path: Path, kind: str, target: IO[bytes]) -> None:
    damage = (EOFError, OSError, zlib.error, ValueError, import_module("lzma").LZMAError)
    most = most_unpacked(path.stat().st_size)
    with import_module(kind).open(path) as source:
        while True:
            try:
                chunk = source.read(_CHUNK)
            except damage as error:
                raise PackedError(f"damaged {kind}: {error}") from error
            if not chunk:
                return
            target.write(chunk)
            if target.tell() > most:
                raise PackedError(f"{kind} of more than {most:,} bytes")
