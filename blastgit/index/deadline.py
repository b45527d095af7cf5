"""A time limit for DuckDB."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_AGAIN = 0.05  # seconds


@contextmanager
def deadline(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt whatever the connection is doing when the time is up.

    DuckDB ignores an interrupt between two statements, so it is repeated until the block ends, but never after that:
    the next statement is safe.

    Raises:
        duckdb.InterruptException: The time was up; raised by the statement that was running.
    """
    over = threading.Event()

    def watch() -> None:
        over.wait(seconds)
        while not over.wait(_AGAIN):
            connection.interrupt()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
