"""Clients of the pages that are slow, many or never read, at real sockets: other clients are still served."""

import urllib.parse
import urllib.request

import pytest

from tests.serve.slow_clients import FEW, MANY, holding_the_line

pytestmark = pytest.mark.slow

_POST = b"POST /annotate HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize(
    ("begin", "count"),
    [
        (b"GET /t/2026dgt HT", MANY),
        (_POST + b"Content-Length: 90000\r\n\r\nsubject=", MANY),
        (b"GET /t/2026dgt HTTP/1.1\r\nHost: h\r\n\r\n" * 5, FEW),
    ],
    ids=["headers", "body", "never reads"],
)
def test_many_that_hold_the_line(server, begin, count):
    with holding_the_line(urllib.parse.urlsplit(server).port, begin, count):
        assert _status(server) == 200
    assert _status(server) == 200


def _status(server):
    with urllib.request.urlopen(f"{server}/t/2026dgt.json", timeout=120) as answer:
        return answer.status
