"""The server: waitress serves the pages, the files and the TAP service at one address."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blastgit.plumbing.extras import not_installed
from blastgit.serve.http.listening import HttpLimits, Wsgi, create_server, listen, url_of
from blastgit.serve.http.refresher import Refresher
from blastgit.serve.options import ServeOptions


@dataclass(frozen=True)
class WebServer:
    """A server that already listens, and answers requests once `run` is called.

    Attributes:
        url: The URL of the server.
        app: The Flask application.
        wsgi: The WSGI application that is served: `app` and the TAP service.
    """

    url: str
    app: Any
    wsgi: Wsgi
    _server: Any

    def run(self) -> None:
        """Answer requests until the process is interrupted."""
        self._server.run()

    def close(self) -> None:
        """Stop listening."""
        self._server.close()


def need_libraries() -> None:
    """Check that the libraries that the web interface needs are installed.

    Raises:
        RepoError: A library is missing.
    """
    try:
        import duckdb  # noqa: F401
        import flask  # noqa: F401
        import pyarrow  # noqa: F401
        import sqlglot  # noqa: F401
        import waitress  # noqa: F401
    except ImportError as error:
        raise not_installed("the web interface needs", error.name, "web") from None


@contextmanager
def serving(repo: Path, index: Path, options: ServeOptions) -> Iterator[WebServer]:
    """Yield a server that already listens.

    Args:
        repo: The data repo.
        index: The file of its index, which must exist.
        options: Where to listen, and what to show.

    Raises:
        RepoError: The address is in use or belongs to another machine, or a library is missing.
    """
    need_libraries()
    from blastgit.serve.app import BODY_LIMIT, create_app
    from blastgit.serve.site import Site
    from blastgit.serve.tap.app import App
    from blastgit.serve.tap.limits import ServiceLimits
    from blastgit.serve.tap.queries import Queries, Source
    from blastgit.serve.tap.workers import Workers

    http = HttpLimits(BODY_LIMIT, options.threads, proxy=options.login.proxy or "127.0.0.1", names_client=False)
    workers, refresher = Workers(), Refresher(repo, options.refresh)
    with (
        listen(options.host, options.port) as listening,
        tempfile.TemporaryDirectory(prefix="blastgit-web-", ignore_cleanup_errors=True) as folder,
    ):
        limits = ServiceLimits()
        queries = Queries(Source(index, Path(folder), refresher), limits, workers)
        tap = App(repo, queries, limits, options.url)
        site = Site(repo, index, options, refresher, queries)
        app = create_app(site)
        wsgi = mounted(app.wsgi_app, tap)
        try:
            workers.keep_ready()
            web = WebServer(options.url or url_of(listening), app, wsgi, create_server(wsgi, listening, http))
            yield web
            web.close()
        finally:
            tap.jobs.close()
            workers.close()
            refresher.close()
            site.writer.close()
            site.pool.close()


def mounted(pages: Wsgi, tap: Wsgi) -> Wsgi:
    """Return one application of two: addresses below `/tap` belong to the TAP service."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        return (tap if path == "/tap" or path.startswith("/tap/") else pages)(environ, start_response)

    return answer
