"""The service: it connects the server, the processes for queries and the updates of the index."""

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
    """Where the service listens, and its limits.

    Attributes:
        host: The address to listen at.
        port: The port; 0 for any that is free.
        url: The public URL of the service; None to use the host name of each request.
        refresh: Seconds after which a query starts an update of the index in the background.
        limits: The limits for clients.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    url: str | None = None
    refresh: float = 60.0
    limits: ServiceLimits = field(default_factory=ServiceLimits)


@dataclass(frozen=True)
class Service:
    """A service that already listens, and answers requests once `run` is called.

    Attributes:
        url: The URL of the service.
    """

    url: str
    _server: Any

    def run(self) -> None:
        """Answer requests until the process is interrupted."""
        self._server.run()


@contextmanager
def serving(repo: Path, index: Path, place: Place) -> Iterator[Service]:
    """Yield a service that already listens.

    Args:
        repo: The data repo.
        index: The file of its index.
        place: Where to listen, and the limits.

    Raises:
        RepoError: The address is in use or belongs to another machine, or a library is missing.
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
