"""Listening: the server waitress runs a WSGI application.

Waitress was chosen because it copes with slow clients (it reads a request and sends a response without occupying a
thread), has limits for headers, bodies, connections and idle clients, and is pure Python without dependencies. The
server of the standard library has none of these, and its documentation says that it is not for production.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from blastgit.errors import RepoError

_FORWARDED = ("x-forwarded-host", "x-forwarded-proto", "x-forwarded-port")
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The limits that the server sets for clients.

    Attributes:
        body: Maximum bytes of a request.
        threads: How many requests are answered at the same time.
        headers: Maximum bytes of a request's headers.
        idle: Seconds after which a client that neither sends nor reads is disconnected.
        connections: How many clients may be connected at the same time.
        proxy: The address of the proxy whose statements on host and scheme are trusted.
        names_client: Whether the proxy's statement on the client's address is trusted, too; never if the proxy's own
            address counts.
    """

    body: int
    threads: int
    headers: int = 32_768
    idle: int = 30
    connections: int = 800
    proxy: str = "127.0.0.1"
    names_client: bool = True


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        RepoError: The address is taken, or belongs to another machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise RepoError(f"port {port} of {host} is in use: give another with --port") from None
        raise RepoError(f"cannot listen at {host} port {port}: {error.strerror}") from None


def url_of(listening: socket.socket) -> str:
    """Return the URL at which a socket listens, without a slash at the end."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def create_server(app: Wsgi, listening: socket.socket, limits: HttpLimits) -> Any:
    """Return a waitress server that serves `app` once its `run` is called."""
    import waitress

    return waitress.create_server(
        app,
        sockets=[listening],
        threads=limits.threads,
        connection_limit=limits.connections,
        channel_timeout=limits.idle,
        cleanup_interval=max(1, limits.idle // 3),
        asyncore_use_poll=True,  # select handles at most 1024 files
        max_request_header_size=limits.headers,
        max_request_body_size=limits.body,
        trusted_proxy=limits.proxy,
        trusted_proxy_headers={*_FORWARDED, *(["x-forwarded-for"] if limits.names_client else [])},
        clear_untrusted_proxy_headers=True,
        ident="blastgit",
    )
