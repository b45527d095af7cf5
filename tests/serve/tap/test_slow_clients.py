"""Clients that are slow, many or never read, at real sockets: other clients are still served."""

import pytest
from werkzeug.test import create_environ

from blastgit.errors import UsageError
from blastgit.serve.tap.request import Request
from tests.serve.slow_clients import FEW, MANY, holding_the_line

GOOD = "SELECT TOP 1 transient FROM blastgit.transients"
_POST = b"POST /tap/sync HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize(
    ("begin", "count"),
    [
        (b"GET /tap/av", MANY),
        (_POST + b"Content-Length: 900000\r\n\r\nQUERY=", MANY),
        (b"GET /tap/tables HTTP/1.1\r\nHost: h\r\n\r\n" * 20, FEW),
    ],
    ids=["headers", "body", "never reads"],
)
def test_many_that_hold_the_line(service, begin, count):
    with holding_the_line(service.port, begin, count):
        assert service.ask("/tap/availability").status == 200
        assert service.query(GOOD).status == 200
    assert service.query(GOOD).status == 200


def posted(body: bytes):
    kind = "multipart/form-data; boundary=b0"
    return Request(create_environ(method="POST", content_type=kind, data=body)).parameters


def test_parts_within_parts_are_not_opened():
    depth = 20_000
    head = "Content-Disposition: form-data; name=more\r\nContent-Type: multipart/form-data; boundary="
    nested = b"".join(f"--b{n}\r\n{head}b{n + 1}\r\n\r\n".encode() for n in range(depth))
    named = b'--b0\r\nContent-Disposition: form-data; name="QUERY"\r\n\r\nx\r\ny\r\n'
    with pytest.raises(UsageError, match="one that is too long"):
        posted(named + nested + b"\r\n--b0--\r\n")
    few = b"".join(f"--b{n}\r\n{head}b{n + 1}\r\n\r\n".encode() for n in range(100))
    asked = posted(named + few + b"\r\n--b0--\r\n")
    assert asked.one("QUERY") == "x\r\ny"
    assert {name for name, _ in asked} == {"QUERY", "MORE"}


def test_very_many_parts_are_refused():
    with pytest.raises(UsageError, match="more than 200 parameters"):
        posted(b"--b0\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" * 100_000)


def test_a_body_that_is_not_what_it_says():
    with pytest.raises(UsageError, match="not multipart/form-data, as its header says"):
        posted(b"--b0\r\n\r\n\r\n--b0--\r\n")
