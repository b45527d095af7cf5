"""The interface of all stores."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from blastgit.errors import StoreError
from blastgit.progress import Progress, silent

if TYPE_CHECKING:
    from blastgit.store.borrowed import Borrowed
    from blastgit.store.hashing import Checksums
    from blastgit.store.source import Origin


class Content(NamedTuple):
    """A content in a store.

    Attributes:
        md5: Its name.
        size: Its size in bytes.
        changed: When it was stored, or last relied on by a writer (seconds since 1970).
    """

    md5: str
    size: int
    changed: float


class SetAside(NamedTuple):
    """A content in a store's quarantine.

    Attributes:
        md5: Its former name.
        size: Its size in bytes.
        day: When it was set aside (UTC).
        key: Its key in the quarantine.
        is_damaged: Whether it was set aside as damaged; such a content is never restored.
    """

    md5: str
    size: int
    day: date
    key: str
    is_damaged: bool = False


Sizes = Mapping[str, int | None]
"""Sizes of contents in bytes by MD5; None if a store does not report them."""

QUARANTINE = "quarantine"
"""The folder of a store for contents that are set aside, beside `files`."""

_DAMAGED = ".damaged."


def quarantine_key(md5: str, *, damaged: bool) -> str:
    """Return the key in the quarantine for a content that is set aside now."""
    return f"{datetime.now(UTC):%Y-%m-%d}/{md5}{_DAMAGED + os.urandom(4).hex() if damaged else ''}"


def read_quarantine_key(key: str, size: int) -> SetAside | None:
    """Parse a key in the quarantine; None if it is not one of ours."""
    folder, _, name = key.partition("/")
    try:
        return SetAside(name[:32], size, date.fromisoformat(folder), key, _DAMAGED in name)
    except ValueError:
        return None


class Store(ABC):
    """Contents by MD5, in the layout of a DVC remote (`files/md5/ab/cdef…`).

    Attributes:
        url: Its URL, as in DVC's configuration.
    """

    url: str

    @property
    @abstractmethod
    def staging_root(self) -> Path:
        """The local folder in which contents are staged."""

    @abstractmethod
    def put(self, staged: Path, sums: Checksums) -> None:
        """Store a staged file with known checksums atomically.

        Raises:
            StoreError: The store fails, or holds other bytes under that name.
        """

    def put_all(
        self,
        items: Mapping[Path, Checksums],
        progress: Progress = silent,
        origins: Mapping[str, Origin] = MappingProxyType({}),
    ) -> None:
        """Store staged files with known checksums.

        Args:
            items: The checksums of each file.
            progress: Called with bytes stored.
            origins: Where contents are in an object store, by MD5, for stores that can copy from there directly.

        Raises:
            StoreError: The store fails; some files may have been stored, and need not be stored again.
        """
        del origins
        total, done = sum(sums.size for sums in items.values()), 0
        for staged, sums in items.items():
            self.put(staged, sums)
            done += sums.size
            progress("storing", done, total)

    @abstractmethod
    def read(self, md5: str) -> Iterator[bytes]:
        """Yield the bytes of a content, unverified.

        Raises:
            DamagedData: It does not exist.
            StoreError: The store fails.
        """

    @abstractmethod
    def sizes(self, md5s: Iterable[str]) -> Sizes:
        """Return the size of each of these contents that exists, in a single request where possible.

        Raises:
            StoreError: The store fails.
        """

    @property
    def others(self) -> Mapping[str, Store]:
        """Further stores for some kinds of files, by name; usually none."""
        return {}

    def named(self, name: str) -> Store:
        """Return the store that pointers refer to by a name; "" is the default one.

        Raises:
            StoreError: It does not exist.
        """
        if name:
            raise StoreError(f"files should go to the store {name!r}, which .dvc/config on main does not have")
        return self

    def missing(self, md5s: Iterable[str]) -> set[str]:
        """Return the contents that the store lacks; see `sizes`."""
        wanted = set(md5s)
        return wanted - self.sizes(wanted).keys()

    def borrowed(self, md5s: Iterable[str]) -> Mapping[str, Sequence[Borrowed]]:
        """Return the borrowed files behind contents, by MD5; see `borrowed.py`. Most stores have none."""
        del md5s
        return {}

    def local_path(self, md5: str) -> Path | None:
        """Return the local path of a content, or None."""
        del md5
        return None

    def synced_folders(self) -> list[Path]:
        """Return the folders whose file systems must be synchronised to make stored files durable."""
        return []

    def contents(self) -> Iterator[Content]:
        """Yield every content in no particular order.

        Raises:
            StoreError: The store fails, or does not report the age of its contents.
        """
        raise self._cannot("see how old contents are")

    def set_aside(self, md5: str, untouched_since: float | None = None, *, damaged: bool = False) -> bool:
        """Move a content into the quarantine; return whether this was done.

        Args:
            md5: Its name.
            untouched_since: Leave it if a writer has relied on it after that time.
            damaged: Whether it is damaged.

        Raises:
            StoreError: The store fails, or cannot move contents.
        """
        del md5, untouched_since, damaged
        raise self._cannot("set contents aside")

    def quarantined(self) -> Iterator[SetAside]:
        """Yield the contents in the quarantine.

        Raises:
            StoreError: The store fails.
        """
        return iter(())

    def restore(self, item: SetAside) -> None:
        """Restore a content from the quarantine; it counts as new again. If it exists again, the store's stays.

        Raises:
            StoreError: The store fails.
        """
        del item
        raise self._cannot("bring contents back")

    def discard(self, item: SetAside) -> None:
        """Delete a content in the quarantine permanently.

        Raises:
            StoreError: The store fails.
        """
        del item
        raise self._cannot("delete contents")

    @property
    def parts(self) -> list[Store]:
        """The stores that this one consists of: usually just itself."""
        return [self]

    def is_fresh(self) -> bool:
        """Whether the store is empty.

        Raises:
            StoreError: The store fails, or cannot list its contents.
        """
        raise self._cannot("list contents")

    def notes(self, folder: str) -> Mapping[str, bytes]:
        """Return the small files in a folder beside `files`, by name; none if the protocol cannot list.

        Raises:
            StoreError: The store fails.
        """
        del folder
        return {}

    def write_note(self, path: str, data: bytes) -> None:
        """Write a small file beside `files` atomically.

        Raises:
            StoreError: The store fails, or does not accept such files.
        """
        del path, data
        raise self._cannot("write a note")

    def remove_note(self, path: str) -> None:
        """Delete such a file.

        Raises:
            StoreError: The store fails.
        """
        del path
        raise self._cannot("delete a note")

    def _cannot(self, what: str) -> StoreError:
        return StoreError(f"blastgit cannot {what} in the store {self.url}: its protocol does not allow it")
