"""Queries answered: each result in a file of its own, only so many at once."""

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
    """Where queries are answered from, and to.

    Attributes:
        index: The file of the index.
        folder: The folder for results.
        stale: Called before a query, and with True after one that found the index damaged.
    """

    index: Path
    folder: Path
    stale: Callable[[bool], None]


class Queries:
    """Answers queries."""

    def __init__(self, source: Source, limits: ServiceLimits, workers: Workers) -> None:
        """Be ready for queries."""
        self._source = source
        self._limits = limits
        self._workers = workers
        self._places = threading.BoundedSemaphore(limits.at_once)
        self._queue = threading.BoundedSemaphore(limits.at_once + limits.queue)  # who waits holds a thread

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait, not for long, until few enough sync queries run.

        Raises:
            Busy: It took too long, or too many wait already.
        """
        with _held(self._queue, 0), _held(self._places, self._limits.patience):
            yield

    def answer(self, what: Asked, base: str, seconds: float, stop: Stop | None = None) -> Path:
        """Return the file of the result; it is the caller's to remove.

        Raises:
            InvalidQuery: The query is no ADQL, or asks for what is not there.
            OverLimit: It takes more than it may.
            DamagedData: The index is damaged; it is mended meanwhile.
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
        except (DamagedData, RepoError):  # it cannot be read, or not even be opened
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
