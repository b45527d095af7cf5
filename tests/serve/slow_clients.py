"""Clients that occupy connections: they send incomplete requests, or never read the responses."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

MANY = 500
FEW = 50
"""More than a server has threads: requests that are answered for nobody take time."""


@contextmanager
def holding_the_line(port: int, begin: bytes, count: int) -> Iterator[None]:
    """Keep connections open, each of which has sent a few bytes."""
    with ExitStack() as held:
        for _ in range(count):
            client = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            with suppress(OSError):
                client.send(begin)
        yield
