"""Clients that are slow, many or never read, at real sockets: the others are answered all the same."""

import socket
from contextlib import ExitStack, suppress

import pytest

from blastgit.errors import UsageError
from blastgit.serve.tap.request import request_of

GOOD = "SELECT TOP 1 transient FROM blastgit.transients"
SLOW = 500
_POST = b"POST /tap/sync HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize(
    "begin",
    [
        b"GET /tap/av",
        _POST + b"Content-Length: 900000\r\n\r\nQUERY=",
        b"GET /tap/tables HTTP/1.1\r\nHost: h\r\n\r\n" * 20,
    ],
    ids=["headers", "body", "never reads"],
)
def test_many_that_hold_the_line(service, begin):
    with ExitStack() as held:
        for _ in range(SLOW):
            client = held.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=20))
            with suppress(OSError):
                client.send(begin)
        assert service.ask("/tap/availability").status == 200
        assert service.query(GOOD).status == 200
    assert service.query(GOOD).status == 200


def posted(body: bytes):
    class Body:
        def read(self, _: int) -> bytes:
            return body

    kind = "multipart/form-data; boundary=b0"
    return request_of(
        {
            "REQUEST_METHOD": "POST", "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)), "wsgi.input": Body(),
            "wsgi.url_scheme": "http", "HTTP_HOST": "h",
        },
        None,
    )  # fmt: skip


def test_parts_within_parts_are_not_opened():
    depth = 20_000
    nested = b"".join(
        f"--b{n}\r\nContent-Type: multipart/form-data; boundary=b{n + 1}\r\n\r\n".encode() for n in range(depth)
    )
    named = b'--b0\r\nContent-Disposition: form-data; name="QUERY"\r\n\r\nx\r\ny\r\n'
    assert list(posted(named + nested + b"\r\n--b0--\r\n").parameters) == [("QUERY", "x\r\ny")]


def test_very_many_parts_are_refused():
    with pytest.raises(UsageError, match="more than 200 parameters"):
        posted(b"--b0\r\n\r\n\r\n" * 100_000)
