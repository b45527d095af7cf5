"""Runs queries, a limited number at once, and writes each result to its own file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from blastgit.errors import Busy, DamagedData, RepoError
from blastgit.serve.tap.asked import Asked
from blastgit.serve.tap.limits import ServiceLimits
from blastgit.serve.tap.workers import Stop, Task, Workers


@dataclass(frozen=True)
class Source:
    """Where queries read from and write to.

    Attributes:
        index: The file of the index.
        folder: The folder for results.
        stale: Called before each query, and with True after a query that found the index damaged.
    """

    index: Path
    folder: Path
    stale: Callable[[bool], None]


class Queries:
    """Runs queries."""

    def __init__(self, source: Source, limits: ServiceLimits, workers: Workers) -> None:
        """Prepare for queries."""
        self._source = source
        self._limits = limits
        self._workers = workers
        self._places = threading.BoundedSemaphore(limits.at_once)
        self._queue = threading.BoundedSemaphore(limits.at_once + limits.queue)  # each waiting one occupies a thread

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait for a limited time until another sync query may run.

        Raises:
            Busy: The wait took too long, or too many requests wait already.
        """
        with _held(self._queue, 0), _held(self._places, self._limits.patience):
            yield

    def answer(self, what: Asked, base: str, seconds: float, stop: Stop | None = None) -> Path:
        """Return the file of the result, which the caller must remove.

        Raises:
            InvalidQuery: The query is not valid ADQL, or names something that does not exist.
            OverLimit: The query exceeds a limit.
            DamagedData: The index is damaged; it is being rebuilt.
        """
        self._source.stale(False)
        target = self._source.folder / uuid4().hex
        limits = self._limits
        task = Task(
            str(self._source.index), what.query, base, what.form.name, what.rows, seconds, limits.memory, limits.result,
            str(target),
        )  # fmt: skip
        try:
            self._workers.run(task, stop)
        except (DamagedData, RepoError):  # the index cannot be read or opened
            self._source.stale(True)
            target.unlink(missing_ok=True)
            raise DamagedData("the index is damaged and is being rebuilt: try again in a while") from None
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return target


@contextmanager
def _held(places: threading.Semaphore, patience: float) -> Iterator[None]:
    if not places.acquire(timeout=patience):
        raise Busy("too many queries are running: try again later, or as an async job")
    try:
        yield
    finally:
        places.release()
