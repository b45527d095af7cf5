"""The service itself: waitress in front, processes for queries behind, and the index kept up to date beside them.

Waitress, because it takes slow clients in its stride (a request is read, and an answer sent, without a thread of its
own), has limits for headers, bodies, connections and idle clients, and is pure Python without dependencies. The
server of the standard library has none of these, and says itself that it is not for production.
"""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blastgit.errors import RepoError
from blastgit.plumbing.extras import not_installed
from blastgit.serve.tap.app import App
from blastgit.serve.tap.limits import ServiceLimits
from blastgit.serve.tap.queries import Queries, Source
from blastgit.serve.tap.workers import Workers


@dataclass(frozen=True)
class Place:
    """Where the service is to be.

    Attributes:
        host: The address to listen at.
        port: The port; 0 for any that is free.
        url: What the public knows it by; None for what a client calls it.
        refresh: Seconds after which a query has the index brought up to date, behind its back.
        limits: What it gives to whom it does not know.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    url: str | None = None
    refresh: float = 60.0
    limits: ServiceLimits = field(default_factory=ServiceLimits)


class Refresher:
    """Brings the index up to date in a process of its own, once in a while, when somebody asks."""

    def __init__(self, repo: Path, seconds: float) -> None:
        """Begin with an index that is up to date."""
        self._repo = repo
        self._seconds = seconds
        self._last = time.monotonic()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, is_damaged: bool) -> None:
        """Begin to bring it up to date, if it is time, or make it anew."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            if not is_damaged and time.monotonic() - self._last < self._seconds:
                return
            self._last = time.monotonic()
            words = [sys.executable, "-m", "blastgit", "-C", str(self._repo), "index"]
            self._process = subprocess.Popen(
                [*words, "--rebuild"] if is_damaged else words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # what is wrong, it says where the service does
                start_new_session=True,
            )

    def close(self) -> None:
        """Let go of it; an update that has begun is not worth waiting for."""
        with self._lock:
            if self._process is not None:
                self._process.terminate()
                self._process.wait()


class Service:
    """A service that listens, and answers when it is run.

    Attributes:
        url: Where it is.
    """

    def __init__(self, app: App, listening: socket.socket, place: Place) -> None:
        """Get ready; nothing is answered before `run`."""
        from waitress import create_server

        host, port = listening.getsockname()[:2]
        named = f"[{host}]" if ":" in host else host
        self.url = f"{place.url or f'http://{named}:{port}'}/tap"
        limits = place.limits
        self._server: Any = create_server(
            app,
            sockets=[listening],
            threads=limits.threads,
            connection_limit=limits.connections,
            channel_timeout=limits.idle,
            cleanup_interval=max(1, limits.idle // 3),
            asyncore_use_poll=True,  # select knows 1024 files at most
            max_request_header_size=limits.headers,
            max_request_body_size=limits.body,
            trusted_proxy="127.0.0.1",
            trusted_proxy_headers="x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port",
            clear_untrusted_proxy_headers=True,
            ident="blastgit",
        )

    def run(self) -> None:
        """Answer requests until the process is interrupted."""
        self._server.run()

    def close(self) -> None:
        """Stop listening."""
        self._server.close()


@contextmanager
def serving(repo: Path, index: Path, place: Place) -> Iterator[Service]:
    """Yield a service that listens.

    Args:
        repo: The data repo.
        index: The file of its index.
        place: Where to listen, and what to give.

    Raises:
        RepoError: The address is taken or none of this machine, or a library is missing.
    """
    try:
        import sqlglot  # noqa: F401
        import waitress  # noqa: F401
    except ImportError as error:
        raise not_installed("the TAP service needs", error.name, "tap") from None
    listening = listen(place)
    workers, refresher = Workers(), Refresher(repo, place.refresh)
    with tempfile.TemporaryDirectory(prefix="blastgit-tap-", ignore_cleanup_errors=True) as folder, listening:
        queries = Queries(Source(index, Path(folder), refresher), place.limits, workers)
        app = App(repo, queries, place.limits, place.url)
        try:
            workers.keep_ready()
            service = Service(app, listening, place)
            yield service
            service.close()
        finally:
            app.jobs.close()
            workers.close()
            refresher.close()


def listen(place: Place) -> socket.socket:
    """Return a socket that listens.

    Raises:
        RepoError: The address is taken, or none of this machine.
    """
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        return socket.create_server((place.host, place.port), family=family, backlog=256)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise RepoError(f"port {place.port} of {place.host} is in use: give another with --port") from None
        raise RepoError(f"cannot listen at {place.host} port {place.port}: {error.strerror}") from None
