"""`Site`, shared by all pages and threads of the server: the data repo, the index and the caches."""

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
    """A cache of limited size, which drops the least recently used entries first."""

    def __init__(self, size: int) -> None:
        """Make an empty cache for up to `size` bytes."""
        self._size = size
        self._held: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._total = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int] = lambda _: 20_000) -> T:
        """Return the entry of a key, making it if needed. Two threads may make the same entry; neither waits."""
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
    """Connections to the index, each used by one thread at a time; those to a replaced file are closed."""

    def __init__(self, path: Path) -> None:
        """Make a pool of connections to the file at `path`."""
        self._path = path
        self._free: queue.SimpleQueue[tuple[tuple[int, int], OpenIndex]] = queue.SimpleQueue()

    def version(self) -> tuple[int, int]:
        """An identifier of the current state of the file; (0, 0) if the file does not exist."""
        try:
            status = self._path.stat()
        except OSError:
            return (0, 0)
        return status.st_ino, status.st_mtime_ns

    @contextmanager
    def open(self) -> Iterator[OpenIndex]:
        """Yield a connection to the current index."""
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
        """Close all connections that are not in use."""
        while not self._free.empty():
            self._free.get()[1].close()


class Site:
    """The objects that all pages share."""

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
            options: The options of the web interface.
            stale: Starts an update of the index if it is time; with True, rebuilds an index that is damaged.
            queries: Runs the queries of visitors; None for a site without queries.
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
        """Return the data repo, opened anew for each request: it belongs to one thread, and is up to date."""
        from blastgit.api.repo import DataRepo

        if "repo" not in g:
            g.repo = DataRepo(self.path)
        found: DataRepo = g.repo
        return found

    def query(self, sql: str, params: Sequence[object] | dict[str, object] = ()) -> Result:
        """Return the rows of a trusted query on the index."""
        with self.pool.open() as index:
            return index.query(sql, params)

    def answer(self, sql: str, params: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a trusted query, cached until the index changes."""
        key = (self.pool.version(), sql, params)
        return self.answers.get(key, lambda: self.query(sql, params).rows, lambda rows: 200 * len(rows) + 200)

    @property
    def source(self) -> str:
        """What people clone the data repo from. Where it lies on this machine is told to people at this machine."""
        is_local = self.options.url is None and self.options.host in ("127.0.0.1", "localhost", "::1")
        return self.options.clone_url or (str(self.path) if is_local else self.path.name)

    @property
    def name(self) -> str:
        """The name of the data repo on its pages."""
        return self.path.name.removesuffix(".git")


def site() -> Site:
    """Return the site of the current request.

    Raises:
        RepoError: The application has no site.
    """
    found = current_app.extensions.get("blastgit")
    if not isinstance(found, Site):
        raise RepoError("the application serves no data repo")
    return found
