"""Sends a file, whole or the requested range; all bytes are checked against the checksum before the first is sent."""

from __future__ import annotations

import tempfile
from base64 import b64encode
from typing import IO, TYPE_CHECKING, cast

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import wrap_file

from blastgit.store.media_types import media_type

if TYPE_CHECKING:
    from blastgit.reading.checkout import Item

_FIXED, _MOVING = 3600, 60
"""Seconds for which others may cache a file of a fixed revision, and of one that may change; short, because files may
be withdrawn."""


def send_item(item: Item, request: Request, *, is_fixed: bool) -> Response:
    """Return a response with a file of a revision: all of it, a range, or "not modified".

    Raises:
        DamagedData: The file is missing from the store, or damaged.
        HTTPException: The range lies outside of the file.
    """
    response = Response(mimetype=media_type(item.path))
    response.headers["Content-Disposition"] = f'inline; filename="{plain_name(item.path)}"'
    response.cache_control.public = True
    response.cache_control.max_age = _FIXED if is_fixed else _MOVING
    response.set_etag(item.sha256)
    response.headers["Repr-Digest"] = f"sha-256=:{b64encode(bytes.fromhex(item.sha256)).decode('ascii')}:"
    response.content_length = item.size
    if request.method == "HEAD" or item.sha256 in request.if_none_match:
        return open_to_all(response.make_conditional(request, accept_ranges=True, complete_length=item.size))
    body = _brought(item)
    _stream(response, request, body)
    try:
        response.make_conditional(request, accept_ranges=True, complete_length=item.size)
    except HTTPException:
        body.close()
        raise
    return open_to_all(response)


def send_file(body: IO[bytes], size: int, type_: str, request: Request) -> Response:
    """Return a response with an open file; it is closed once it was sent or the client has disconnected."""
    response = Response(content_type=type_)
    response.content_length = size
    if request.method == "HEAD":
        body.close()
        return response
    _stream(response, request, body)
    return response


def open_to_all(response: Response) -> Response:
    """Allow pages of other servers to read the response."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "Range, If-None-Match"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Content-Length, Content-Range, Repr-Digest"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def plain_name(path: str) -> str:
    """Return the name of a file in characters that are valid in headers and on all systems."""
    name = path.rpartition("/")[2]
    return "".join(each if (each.isalnum() and each.isascii()) or each in "._-+@" else "_" for each in name)


def _stream(response: Response, request: Request, body: IO[bytes]) -> None:
    """Let the server itself read the file, so that a slow client does not occupy a thread."""
    response.response = wrap_file(request.environ, body)
    response.direct_passthrough = True


def _brought(item: Item) -> IO[bytes]:
    body = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it was sent)
    try:
        body.writelines(item.checked())
        body.seek(0)
    except BaseException:
        body.close()
        raise
    return cast("IO[bytes]", body)
