"""What all pages share: the data repo, the index, caches. One object for the whole server, used by many threads."""

from __future__ import annotations

import queue
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flask import current_app, g

from blastgit.errors import RepoError
from blastgit.serve.options import ServeOptions
from blastgit.serve.writer import Writer

if TYPE_CHECKING:
    from blastgit.api.repo import DataRepo
    from blastgit.index.open_index import OpenIndex, Result
    from blastgit.serve.tap.queries import Queries

T = TypeVar("T")
_QUERY_SECONDS = 20.0
_QUERY_MEMORY = 500_000_000


class Cache:
    """Bytes and figures that were made once, by what they were made of: the least used go first."""

    def __init__(self, size: int) -> None:
        """Hold up to `size` bytes."""
        self._size = size
        self._held: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int] = lambda _: 20_000) -> T:
        """Return what is held under a key, or make it. Two threads may make the same: neither waits for the other."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                found: T = self._held[key][0]
                return found
        made = make()
        with self._lock:
            if key not in self._held:
                self._held[key] = (made, size(made))
                self._total += self._held[key][1]
            while self._total > self._size and len(self._held) > 1:
                self._total -= self._held.popitem(last=False)[1][1]
        return made


class IndexPool:
    """Connections to the index, one thread each at a time; those to a file that was replaced are closed."""

    def __init__(self, path: Path) -> None:
        """Serve connections to the file at `path`."""
        self._path = path
        self._free: queue.SimpleQueue[tuple[tuple[int, int], OpenIndex]] = queue.SimpleQueue()

    def version(self) -> tuple[int, int]:
        """What tells this state of the file from others; (0, 0) if there is none."""
        try:
            status = self._path.stat()
        except OSError:
            return (0, 0)
        return status.st_ino, status.st_mtime_ns

    @contextmanager
    def open(self) -> Iterator[OpenIndex]:
        """Yield a connection to the index as it is now."""
        from blastgit.index.open_index import Limits, OpenIndex

        version = self.version()
        found = None
        while found is None:
            try:
                known, connection = self._free.get_nowait()
            except queue.Empty:
                found = OpenIndex(self._path, Limits(_QUERY_SECONDS, _QUERY_MEMORY, 200_000))
            else:
                if known == version:
                    found = connection
                else:
                    connection.close()
        try:
            yield found
        except BaseException:
            found.close()
            raise
        self._free.put((version, found))

    def close(self) -> None:
        """Let go of all."""
        while not self._free.empty():
            self._free.get()[1].close()


class Site:
    """What all pages share."""

    def __init__(
        self,
        path: Path,
        index: Path,
        options: ServeOptions,
        stale: Callable[[bool], None],
        queries: Queries | None = None,
    ) -> None:
        """Serve the data repo at `path`.

        Args:
            path: The data repo.
            index: The file of its index.
            options: How.
            stale: Has the index brought up to date if it is time, or if it is damaged (True).
            queries: Answers queries of strangers; None for a site that takes none.
        """
        self.path = path
        self.options = options
        self.stale = stale
        self.queries = queries
        self.index_path = index
        self.pool = IndexPool(index)
        self.pictures = Cache(96_000_000)
        self.figures = Cache(32_000_000)
        self.answers = Cache(16_000_000)
        self.secret = secrets.token_bytes(32)
        self.writer = Writer(path)

    def repo(self) -> DataRepo:
        """Return the data repo, opened for this request: an object belongs to one thread, and sees what is there."""
        from blastgit.api.repo import DataRepo

        if "repo" not in g:
            g.repo = DataRepo(self.path)
        found: DataRepo = g.repo
        return found

    def query(self, sql: str, params: Sequence[object] | dict[str, object] = ()) -> Result:
        """Return the rows of a query of ours on the index."""
        with self.pool.open() as index:
            return index.query(sql, params)

    def answer(self, sql: str, params: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query whose answer stays the same until the index changes."""
        key = (self.pool.version(), sql, params)
        return self.answers.get(key, lambda: self.query(sql, params).rows, lambda rows: 200 * len(rows) + 200)

    @property
    def name(self) -> str:
        """What the data repo is called on its pages."""
        return self.path.name.removesuffix(".git")


def site() -> Site:
    """Return the site that the present request is for.

    Raises:
        RepoError: There is none.
    """
    found = current_app.extensions.get("blastgit")
    if not isinstance(found, Site):
        raise RepoError("the application serves no data repo")
    return found
