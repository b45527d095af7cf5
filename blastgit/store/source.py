"""The source of a dataset's file: a local file, or an object in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from blastgit.store.hashing import read_steadily


class Origin(NamedTuple):
    """A version of an object in S3, which an object store can copy without transferring it.

    Attributes:
        bucket: Its bucket.
        key: Its key.
        etag: Its ETag, which changes whenever the object does.
    """

    bucket: str
    key: str
    etag: str


class Source(Protocol):
    """A source. Its `str()` is its location, for people."""

    @property
    def size(self) -> int:
        """The size in bytes; 0 if unknown."""

    @property
    def md5(self) -> str | None:
        """The MD5, if known without reading the file, so that a published file need not be read; or None."""

    @property
    def path(self) -> Path | None:
        """The local path; None if it has to be fetched."""

    @property
    def origin(self) -> Origin | None:
        """The object for an object store to copy from; None if it cannot."""

    def read(self) -> Iterator[bytes]:
        """Yield the bytes, and check at the end that the file did not change.

        Raises:
            InvalidFiles: It cannot be read, is empty, or changed meanwhile.
            StoreError: Its bucket fails.
        """


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def size(self) -> int:
        """The size in bytes; 0 if unknown."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def md5(self) -> None:
        """Always None: file systems do not have it."""

    @property
    def origin(self) -> None:
        """Always None: no object store can reach it."""

    def read(self) -> Iterator[bytes]:
        """Yield its bytes; see `read_steadily`."""
        return read_steadily(self.path)


AnySource = Path | Source
"""A source, or the path of a file on this machine."""


def as_source(source: AnySource) -> Source:
    """Wrap a path in a source."""
    return LocalFile(source) if isinstance(source, Path) else source
