"""A file on its way into a dataset, wherever it lies: on this machine, or as an object in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from blastgit.store.hashing import read_steadily


class Origin(NamedTuple):
    """An object in S3, exactly as it was when it was read: an object store can copy it without sending it anywhere.

    Attributes:
        bucket: Its bucket.
        key: Its key.
        etag: Its ETag, which changes whenever the object does.
    """

    bucket: str
    key: str
    etag: str


class Source(Protocol):
    """What is to be known of such a file. `str()` of it says where it is, for people."""

    @property
    def size(self) -> int:
        """Bytes, as its place states; 0 if it cannot be asked."""

    @property
    def md5(self) -> str | None:
        """The MD5 that its place states, so that a file that is published already need not be read; or None."""

    @property
    def path(self) -> Path | None:
        """Where it lies on this machine; None if it has to be fetched."""

    @property
    def origin(self) -> Origin | None:
        """Where an object store may copy it from by itself; None if it cannot."""

    def read(self) -> Iterator[bytes]:
        """Yield its bytes, and make sure at the end that it stayed as it was.

        Raises:
            InvalidFiles: It cannot be read, is empty, or changed meanwhile.
            StoreError: The place that it is in fails.
        """


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def size(self) -> int:
        """Bytes; 0 if it cannot be asked."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def md5(self) -> None:
        """No file system states one."""

    @property
    def origin(self) -> None:
        """No object store can reach it."""

    def read(self) -> Iterator[bytes]:
        """Yield its bytes; see `read_steadily`."""
        return read_steadily(self.path)


AnySource = Path | Source
"""A source, or the path of a file on this machine."""


def as_source(source: AnySource) -> Source:
    """Return a source as one, if it is a mere path."""
    return LocalFile(source) if isinstance(source, Path) else source
