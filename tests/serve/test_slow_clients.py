"""Clients of the pages that are slow, many or never read, at real sockets: the others are answered all the same."""

import socket
import urllib.parse
import urllib.request
from contextlib import ExitStack, suppress

import pytest

pytestmark = pytest.mark.slow

SLOW = 500
_POST = b"POST /annotate HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize(
    "begin",
    [
        b"GET /t/2026dgt HT",
        _POST + b"Content-Length: 90000\r\n\r\nsubject=",
        b"GET /t/2026dgt HTTP/1.1\r\nHost: h\r\n\r\n" * 5,
    ],
    ids=["headers", "body", "never reads"],
)
def test_many_that_hold_the_line(server, begin):
    port = urllib.parse.urlsplit(server).port
    with ExitStack() as held:
        for _ in range(SLOW):
            client = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            with suppress(OSError):
                client.send(begin)
        assert _status(server) == 200
    assert _status(server) == 200


def _status(server):
    with urllib.request.urlopen(f"{server}/t/2026dgt.json", timeout=120) as answer:
        return answer.status
