"""A request and a response, between WSGI and what answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from http import HTTPStatus
from itertools import takewhile
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

from blastgit.errors import UsageError

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:\d{1,5})?")
_MOST_PARAMETERS = 200
_LONGEST_HEAD = 8192  # bytes before a part
_FORM, _PARTS = "application/x-www-form-urlencoded", "multipart/form-data"


class Parameters:
    """What a client says by name; names are the same in upper and lower case, and each may be given several times."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        """Take pairs of a name and a value."""
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name.upper(), []).append(value)

    def all(self, name: str) -> list[str]:
        """Return all values of a name."""
        return self._values.get(name, [])

    def one(self, name: str) -> str | None:
        """Return the value of a name, or None.

        Raises:
            UsageError: It has several that differ.
        """
        values = set(self.all(name))
        if len(values) > 1:
            raise UsageError(f"{name} is given {len(self.all(name))} times, with different values")
        return next(iter(values), None)

    def updated(self, other: Parameters) -> Parameters:
        """Return these with those of `other` in place of the same names."""
        merged = Parameters()
        merged._values = {**self._values, **other._values}
        return merged

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, value) for name, values in self._values.items() for value in values)


@dataclass(frozen=True)
class Request:
    """What a client asks.

    Attributes:
        method: GET, HEAD, POST or DELETE.
        path: The path below the service, with a slash before it.
        parameters: What it says by name.
        base: The URL of the service as the client knows it, without a slash at the end.
        etag: The content that the client has already; "" for none.
    """

    method: str
    path: str
    parameters: Parameters
    base: str
    etag: str = ""


@dataclass(frozen=True)
class Response:
    """What is answered.

    Attributes:
        body: The bytes, or a file that holds them.
        type: Its MIME type.
        status: The HTTP status.
        headers: More headers.
        size: Bytes of the body if it is a file.
    """

    body: bytes | BinaryIO = b""
    type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None

    @property
    def length(self) -> int:
        """Bytes of the body."""
        if self.size is not None:
            return self.size
        return len(self.body) if isinstance(self.body, bytes) else 0


class NotAllowed(UsageError):
    """A method that is not for this address."""


def see_other(url: str) -> Response:
    """Return the answer that sends a client elsewhere."""
    return Response(status=HTTPStatus.SEE_OTHER, headers={"Location": url})


def request_of(environ: Mapping[str, Any], url: str | None) -> Request:
    """Return what a client asks.

    Args:
        environ: The request as WSGI has it.
        url: The URL of the service for the public; None for the one that the client names.

    Raises:
        UsageError: It makes no sense.
    """
    try:
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise UsageError("the address is not UTF-8") from None
    pairs = _pairs(environ.get("QUERY_STRING", ""))
    if environ["REQUEST_METHOD"] == "POST":
        pairs += _posted(environ)
    base = url or f"{environ['wsgi.url_scheme']}://{_host(environ)}{environ.get('SCRIPT_NAME', '')}"
    etag = environ.get("HTTP_IF_NONE_MATCH", "")
    return Request(environ["REQUEST_METHOD"], path or "/", Parameters(pairs), base.rstrip("/"), etag)


def _host(environ: Mapping[str, Any]) -> str:
    named = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    if not _HOST.fullmatch(named):
        raise UsageError("the header Host is not the name of a host")
    return str(named)


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS, errors="strict")
    except UnicodeDecodeError:
        raise UsageError("the parameters are not UTF-8") from None
    except ValueError:
        raise UsageError(f"more than {_MOST_PARAMETERS} parameters") from None


def _posted(environ: Mapping[str, Any]) -> list[tuple[str, str]]:
    type_ = environ.get("CONTENT_TYPE", "")
    kind = type_.partition(";")[0].strip().lower()
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    if not body:
        return []
    if kind in (_FORM, ""):
        return _pairs(body.decode("latin-1"))
    if kind != _PARTS:
        raise UsageError(f"a body of type {kind[:80]!r}: send parameters as {_FORM} or {_PARTS}")
    return _parts(type_, body)


def _parts(type_: str, body: bytes) -> list[tuple[str, str]]:
    """Return the parameters in a body of parts. Parts within a part are not opened."""
    boundary = _headers(f"Content-Type: {type_}".encode("latin-1", "replace")).get_boundary()
    pieces = (b"\r\n" + body).split(f"\r\n--{boundary}".encode("latin-1", "replace"), _MOST_PARAMETERS + 2)
    if not boundary or len(pieces) == 1:
        raise UsageError(f"the body is not {_PARTS}, as it says")
    parts = list(takewhile(lambda piece: not piece.startswith(b"--"), pieces[1:]))
    if len(parts) > _MOST_PARAMETERS:
        raise UsageError(f"more than {_MOST_PARAMETERS} parameters")
    pairs = []
    for part in parts:
        head, _, data = part.partition(b"\r\n\r\n")
        name = None if len(head) > _LONGEST_HEAD else _headers(head).get_param("name", header="content-disposition")
        if isinstance(name, str):
            pairs.append((name, data.decode("utf-8", "replace")))
    return pairs


def _headers(head: bytes) -> Message:
    return BytesParser().parsebytes(head.lstrip() + b"\r\n\r\n", headersonly=True)
