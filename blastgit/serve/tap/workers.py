"""Runs each query in its own process, which can be stopped at any time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import blastgit
from blastgit.errors import BlastgitError, DamagedData, InvalidQuery, OverLimit, RepoError

_GRACE = 3.0  # seconds that a worker has to report by itself that the time is over
_ERRORS: dict[str, type[BlastgitError]] = {
    each.kind: each for each in (InvalidQuery, OverLimit, DamagedData, RepoError)
}
_PASSED_ON = ("PATH", "LANG", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True, slots=True)
class Task:
    """A query to answer.

    Attributes:
        index: The file of the index.
        query: The query, in ADQL.
        base: The URL of the service.
        form: The short name of the format of the result.
        rows: How many rows it may have.
        seconds: How long it may take.
        memory: Bytes that it may use.
        bytes: Bytes that the result may have.
        target: The file to write it to.
    """

    index: str
    query: str
    base: str
    form: str
    rows: int
    seconds: float
    memory: int
    bytes: int
    target: str


class Stop:
    """Stops a running query from another thread."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self.is_set = False

    def set(self) -> None:
        """Stop the query, or the next one that starts with this object."""
        with self._lock:
            self.is_set = True
            if self._process is not None:
                self._process.kill()

    def watch(self, process: subprocess.Popen[str]) -> None:
        """Set the process that `set` stops."""
        with self._lock:
            self._process = process
            if self.is_set:
                process.kill()


class Workers:
    """Starts processes for queries, and keeps one ready, because loading takes most of their time."""

    def __init__(self) -> None:
        self._ready: deque[subprocess.Popen[str]] = deque()
        self._busy: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._is_closed = False

    def run(self, task: Task, stop: Stop | None = None) -> bool:
        """Run a query, and return whether there were more rows than allowed.

        Raises:
            InvalidQuery: The query is not valid ADQL, or names something that does not exist.
            OverLimit: The query exceeds a limit, or was stopped.
            DamagedData: The index is damaged.
        """
        process = self._take()
        try:
            if stop is not None:
                stop.watch(process)
            said, words = process.communicate(json.dumps(asdict(task)) + "\n", timeout=task.seconds + _GRACE)
        except subprocess.TimeoutExpired:
            raise OverLimit(f"the query took longer than {task.seconds:g} s and was stopped") from None
        finally:
            self._end(process)
        return _outcome(said, words, process.returncode)

    def keep_ready(self) -> None:
        """Start a process for the next query, if none is ready."""
        with self._lock:
            if not self._ready and not self._is_closed:
                self._ready.append(_start())

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            self._is_closed = True
            processes = [*self._ready, *self._busy]
            self._ready.clear()
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
            _close(process.stdin, process.stdout, process.stderr)

    def _take(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._is_closed:
                raise OverLimit("the service is ending")
            process = self._ready.popleft() if self._ready else _start()
            self._busy.add(process)
        self.keep_ready()
        return process

    def _end(self, process: subprocess.Popen[str]) -> None:
        process.kill()
        process.wait()
        with self._lock:
            self._busy.discard(process)
        _close(process.stdin, process.stdout, process.stderr)


def _start() -> subprocess.Popen[str]:
    here = str(Path(blastgit.__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH", ""))))
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "blastgit.serve.tap.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**environment, "PYTHONPATH": paths, "PYTHONUTF8": "1", "TZ": "UTC"},
        start_new_session=True,  # only the service shall receive a Ctrl-C on the terminal
    )


def _close(*streams: IO[str] | None) -> None:
    for stream in streams:
        if stream is not None:
            with suppress(OSError):
                stream.close()


def _outcome(said: str, words: str, code: int) -> bool:
    if not said:
        if "MemoryError" in words or code < 0:
            raise OverLimit("the query was stopped: it needs more memory than it may use, or was aborted")
        raise RuntimeError(f"the process of a query ended with {code}: {words[-2000:]}")
    outcome: dict[str, Any] = json.loads(said)
    if "kind" in outcome:
        raise _ERRORS.get(outcome["kind"], InvalidQuery)(outcome["message"])
    return bool(outcome["is_cut"])
