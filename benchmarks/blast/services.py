"""What Blast needs to run beside: PostgreSQL if it is installed, Redis, an S3 server, a Celery worker and beat."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from benchmarks.s3 import free_port, wait_for_port

T = TypeVar("T")

_SYSTEM_USER = "postgres"  # PostgreSQL refuses to run as root


def wait_for(find: Callable[[], T | None], seconds: float, what: str) -> T:
    """Return what a question is answered with, as soon as it is.

    Raises:
        AssertionError: It is not, in that time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = find()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what} did not happen in {seconds:.0f} s")


@dataclass
class Process:
    """A program that runs beside, can be killed, and starts again the same way.

    Attributes:
        command: The program with its arguments.
        log: What it says.
        environment: Its environment.
        folder: Where it runs.
    """

    command: list[str]
    log: Path
    environment: Mapping[str, str]
    folder: Path
    _running: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self, port: int | None = None) -> None:
        """Start it, and wait until it listens, if it is to."""
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=dict(self.environment),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if port is not None:
            wait_for_port(port, self._running, self.command[0])

    def kill(self) -> None:
        """Kill it and its children, as a machine that dies does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Have it end, and its children."""
        self._end(signal.SIGTERM)

    def said(self, start: int = 0) -> str:
        """Return what it has said since a place in its log."""
        with self.log.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")

    @property
    def place(self) -> int:
        """Where its log ends."""
        return self.log.stat().st_size if self.log.exists() else 0

    def _end(self, how: int) -> None:
        if self._running is None:
            return
        os.killpg(self._running.pid, how)
        try:
            self._running.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()
        self._running = None


def redis(folder: Path) -> tuple[Process, int]:
    """Return a Redis server that keeps nothing, not yet started, and its port.

    Raises:
        SystemExit: It is not installed.
    """
    if shutil.which("redis-server") is None:
        raise SystemExit(
            "redis-server is not installed: Blast's broker and cache (Debian: apt-get install redis-server)"
        )
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    return Process(command, folder / "redis.log", os.environ, folder), port


@contextmanager
def database(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield what the database is, and the variables by which Blast finds it: PostgreSQL, or else a file of SQLite's."""
    programs = _postgresql()
    if programs is None:
        file = {"DB_ENGINE": "django.db.backends.sqlite3", "DB_NAME": str(folder / "blast.sqlite3")}
        yield "SQLite, for PostgreSQL is not installed", file
        return
    port, data, user = free_port(), folder / "postgresql", _other_user()
    data.mkdir()
    if user:
        shutil.chown(data, user)
    as_user = ["runuser", "-u", user, "--"] if user else []
    command = [*as_user, str(programs / "initdb"), "-D", str(data), "-U", "blast", "-A", "trust", "-E", "UTF8"]
    subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL)
    options = ["-p", str(port), "-h", "127.0.0.1", "-k", str(data), "-c", "fsync=off"]
    server = Process(
        [*as_user, str(programs / "postgres"), "-D", str(data), *options],
        folder / "postgresql.log",
        os.environ,
        Path("/"),
    )
    server.start(port)
    try:
        create = [str(programs / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "blast", "blast"]
        wait_for(lambda: subprocess.run(create, check=False, capture_output=True).returncode == 0, 30, "createdb")
        version = subprocess.run([str(programs / "postgres"), "--version"], capture_output=True, text=True, check=True)
        yield version.stdout.strip(), {
            "DB_NAME": "blast", "DB_USER": "blast", "DB_PASS": "", "DB_HOST": "127.0.0.1", "DB_PORT": str(port)
        }  # fmt: skip
    finally:
        server.stop()


def _postgresql() -> Path | None:
    """Return the folder of PostgreSQL's programs; Debian keeps those of the server off PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    anywhere = shutil.which("initdb")
    return found[-1].parent if found else Path(anywhere).resolve().parent if anywhere else None


def _other_user() -> str | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(_SYSTEM_USER).pw_name
    except KeyError:
        return "nobody"
