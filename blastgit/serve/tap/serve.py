"""The service itself: a server in front, processes for queries behind, and the index kept up to date beside them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blastgit.plumbing.extras import not_installed
from blastgit.serve.http.listening import HttpLimits, create_server, listen, url_of
from blastgit.serve.http.refresher import Refresher
from blastgit.serve.tap.limits import ServiceLimits


@dataclass(frozen=True)
class Place:
    """Where the service is to be.

    Attributes:
        host: The address to listen at.
        port: The port; 0 for any that is free.
        url: What the public knows it by; None for what a client calls it.
        refresh: Seconds after which a query has the index brought up to date, behind its back.
        limits: What it gives to strangers.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    url: str | None = None
    refresh: float = 60.0
    limits: ServiceLimits = field(default_factory=ServiceLimits)


@dataclass(frozen=True)
class Service:
    """A service that listens, and answers when it is run.

    Attributes:
        url: Where it is.
    """

    url: str
    _server: Any

    def run(self) -> None:
        """Answer requests until the process is interrupted."""
        self._server.run()


@contextmanager
def serving(repo: Path, index: Path, place: Place) -> Iterator[Service]:
    """Yield a service that listens.

    Args:
        repo: The data repo.
        index: The file of its index.
        place: Where to listen, and what to give.

    Raises:
        RepoError: The address is taken or belongs to another machine, or a library is missing.
    """
    try:
        import sqlglot  # noqa: F401
        import waitress  # noqa: F401
        import werkzeug  # noqa: F401
    except ImportError as error:
        raise not_installed("the TAP service needs", error.name, "tap") from None
    from blastgit.serve.tap.app import App
    from blastgit.serve.tap.queries import Queries, Source
    from blastgit.serve.tap.workers import Workers

    limits = place.limits
    http = HttpLimits(limits.body, limits.threads)
    workers, refresher = Workers(), Refresher(repo, place.refresh)
    with (
        listen(place.host, place.port) as listening,
        tempfile.TemporaryDirectory(prefix="blastgit-tap-", ignore_cleanup_errors=True) as folder,
    ):
        queries = Queries(Source(index, Path(folder), refresher), limits, workers)
        app = App(repo, queries, limits, place.url)
        try:
            workers.keep_ready()
            server = create_server(app, listening, http)
            yield Service(f"{place.url or url_of(listening)}/tap", server)
            server.close()
        finally:
            app.jobs.close()
            workers.close()
            refresher.close()
