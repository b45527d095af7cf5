"""Finds out which of many contents an object store has, with as few requests as possible.

No protocol can ask for several names at once. The store is therefore either listed, a thousand contents per answer, or
asked for one name at a time with several threads, whichever takes fewer requests.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from blastgit.store.base import Sizes

T = TypeVar("T")
S = TypeVar("S")

THREADS = 8
PAGE = 1000
"""The number of names in one answer to a listing."""


def in_threads(work: Callable[[S], T], items: Iterable[S], threads: int = THREADS) -> list[T]:
    """Do `work` for each item with several threads; the first failure ends it all."""
    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class Questions:
    """Queries an object store."""

    def __init__(self, listed: Callable[[str], Sizes], threads: int = THREADS) -> None:
        """Prepare to query a store.

        Args:
            listed: Returns the sizes of the contents whose MD5 has a prefix; "" stands for all.
            threads: The number of concurrent requests.
        """
        self._listed = listed
        self._threads = threads
        self.pages: float | None = None
        """How many requests a listing of the whole store would take; None if unknown."""

    def sizes(self, md5s: Collection[str]) -> Sizes:
        """Return the size of each content that exists."""
        wanted = set(md5s)
        answers = in_threads(self._listed, self._beginnings(sorted(wanted)), self._threads)
        return {md5: size for answer in answers for md5, size in answer.items() if md5 in wanted}

    def has(self, md5: str) -> bool:
        """Whether the store has a content, with one request that also estimates the size of the store."""
        found = self._listed(md5[:3])
        if self.pages is None:  # names are evenly distributed, so a sample is enough
            self.pages = len(found) * 16**3 / PAGE
        return md5 in found

    def _beginnings(self, wanted: list[str]) -> list[str]:
        if len(wanted) <= 2:
            return wanted
        if self.pages is None:
            self.has(wanted[0])
        assert self.pages is not None
        if self.pages > len(wanted):
            return wanted
        return [""] if self.pages < 256 else [f"{n:02x}" for n in range(256)]
