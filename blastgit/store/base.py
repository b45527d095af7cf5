"""What every store can do, wherever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from blastgit.progress import Progress, silent
from blastgit.store.hashing import Checksums


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

    def put_all(self, items: Mapping[Path, Checksums], progress: Progress = silent) -> None:
        """Take in staged files, whose checksums are known.

        Raises:
            StoreError: The store fails; some of the files may have been taken in, and need not be brought again.
        """
        total, done = sum(sums.size for sums in items.values()), 0
        for staged, sums in items.items():
            self.put(staged, sums)
            done += sums.size
            progress("storing", done, total)

    @abstractmethod
    def read(self, md5: str) -> Iterator[bytes]:
        """Yield the bytes of a content, unchecked.

        Raises:
            DamagedData: There is none of that name.
            StoreError: The store fails.
        """

    @abstractmethod
    def missing(self, md5s: Iterable[str]) -> set[str]:
        """Return those of `md5s` that the store lacks, asking once for all of them where it can."""

    def local_path(self, md5: str) -> Path | None:
        """Return where a content lies on this machine, or None if it does not."""
        del md5
        return None

    def synced_folders(self) -> list[Path]:
        """Return the folders whose file systems must be synchronised to make what was put durable."""
        return []
