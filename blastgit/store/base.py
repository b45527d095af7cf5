"""What every store can do, wherever it is."""

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
    """A content that a store holds.

    Attributes:
        md5: Its name.
        size: Bytes.
        changed: When it was brought, or last relied on by a writer (seconds since 1970).
    """

    md5: str
    size: int
    changed: float


class SetAside(NamedTuple):
    """A content in a store's quarantine.

    Attributes:
        md5: The name that it had.
        size: Bytes.
        day: When it was set aside (UTC).
        key: Where it is, in the store's own words.
        is_damaged: Whether it was set aside for that: it is never brought back.
    """

    md5: str
    size: int
    day: date
    key: str
    is_damaged: bool = False


Sizes = Mapping[str, int | None]
"""Bytes of contents by MD5; None where a store does not tell."""

QUARANTINE = "quarantine"
"""The folder of a store in which contents are set aside, beside `files`."""

_DAMAGED = ".damaged."


def quarantine_key(md5: str, *, damaged: bool) -> str:
    """Return where in the quarantine a content goes that is set aside now."""
    return f"{datetime.now(UTC):%Y-%m-%d}/{md5}{_DAMAGED + os.urandom(4).hex() if damaged else ''}"


def read_quarantine_key(key: str, size: int) -> SetAside | None:
    """Return what lies in the quarantine at `key`; None if it is nothing of ours."""
    folder, _, name = key.partition("/")
    try:
        return SetAside(name[:32], size, date.fromisoformat(folder), key, _DAMAGED in name)
    except ValueError:
        return None


class Store(ABC):
    """Contents by MD5, in the layout of a DVC remote (`files/md5/ab/cdef…`).

    Attributes:
        url: Where it is, as people and DVC write it.
    """

    url: str

    @property
    @abstractmethod
    def staging_root(self) -> Path:
        """The folder on this machine in which contents on their way in are gathered."""

    @abstractmethod
    def put(self, staged: Path, sums: Checksums) -> None:
        """Take in a staged file, whose checksums are known; it is visible under its name whole or not at all.

        Raises:
            StoreError: The store fails, or holds something else under that name.
        """

    def put_all(
        self,
        items: Mapping[Path, Checksums],
        progress: Progress = silent,
        origins: Mapping[str, Origin] = MappingProxyType({}),
    ) -> None:
        """Take in staged files, whose checksums are known.

        Args:
            items: The checksums of each.
            progress: Called with bytes taken in.
            origins: Where contents lie in an object store, by MD5: one that can copies them by itself.

        Raises:
            StoreError: The store fails; some of the files may have been taken in, and need not be brought again.
        """
        del origins
        total, done = sum(sums.size for sums in items.values()), 0
        for staged, sums in items.items():
            self.put(staged, sums)
            done += sums.size
            progress("storing", done, total)

    @abstractmethod
    def read(self, md5: str) -> Iterator[bytes]:
        """Yield the bytes of a content, unchecked.

        Raises:
            DamagedData: It does not exist.
            StoreError: The store fails.
        """

    @abstractmethod
    def sizes(self, md5s: Iterable[str]) -> Sizes:
        """Return the size of each of these contents that is there, asking once for all of them where it can.

        Raises:
            StoreError: The store fails.
        """

    @property
    def others(self) -> Mapping[str, Store]:
        """The stores that some kinds of files are sent to, by name; none as a rule."""
        return {}

    def named(self, name: str) -> Store:
        """Return the store that pointers know by a name; "" is the default one.

        Raises:
            StoreError: It does not exist.
        """
        if name:
            raise StoreError(f"files should go to the store {name!r}, which .dvc/config on main does not have")
        return self

    def missing(self, md5s: Iterable[str]) -> set[str]:
        """Return those of `md5s` that the store lacks; see `sizes`."""
        wanted = set(md5s)
        return wanted - self.sizes(wanted).keys()

    def borrowed(self, md5s: Iterable[str]) -> Mapping[str, Sequence[Borrowed]]:
        """Return which files of somebody else some contents are, by MD5; see `borrowed.py`. Most stores have none."""
        del md5s
        return {}

    def local_path(self, md5: str) -> Path | None:
        """Return where a content lies on this machine, or None if it does not."""
        del md5
        return None

    def synced_folders(self) -> list[Path]:
        """Return the folders whose file systems must be synchronised to make what was put durable."""
        return []

    def contents(self) -> Iterator[Content]:
        """Yield every content that lies there, in no order.

        Raises:
            StoreError: The store fails, or cannot tell how old its contents are.
        """
        raise self._cannot("see how old contents are")

    def set_aside(self, md5: str, untouched_since: float | None = None, *, damaged: bool = False) -> bool:
        """Move a content into the quarantine; whether that was done.

        Args:
            md5: Its name.
            untouched_since: Leave it where it is if a writer has relied on it after that time.
            damaged: Whether it is not what its name says.

        Raises:
            StoreError: The store fails, or cannot move contents.
        """
        del md5, untouched_since, damaged
        raise self._cannot("set contents aside")

    def quarantined(self) -> Iterator[SetAside]:
        """Yield what is in the quarantine.

        Raises:
            StoreError: The store fails.
        """
        return iter(())

    def restore(self, item: SetAside) -> None:
        """Bring a content back from the quarantine; it counts as young again. One that is there again stays.

        Raises:
            StoreError: The store fails.
        """
        del item
        raise self._cannot("bring contents back")

    def discard(self, item: SetAside) -> None:
        """Delete a content that is in the quarantine, for good.

        Raises:
            StoreError: The store fails.
        """
        del item
        raise self._cannot("delete contents")

    @property
    def parts(self) -> list[Store]:
        """The stores that this one is made of: itself, as a rule."""
        return [self]

    def is_fresh(self) -> bool:
        """Whether nothing lies there yet.

        Raises:
            StoreError: The store fails, or does not tell.
        """
        raise self._cannot("see what is there")

    def notes(self, folder: str) -> Mapping[str, bytes]:
        """Return the small files in a folder beside `files`, by name; none where the protocol has no listings.

        Raises:
            StoreError: The store fails.
        """
        del folder
        return {}

    def write_note(self, path: str, data: bytes) -> None:
        """Write a small file beside `files`, whole or not at all.

        Raises:
            StoreError: The store fails, or takes no such files.
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
