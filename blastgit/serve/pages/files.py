"""`/files/NAME@N/`: the files of a revision one by one, with Range and ETag, as a list, and all together as a zip."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, cast

from flask import Flask, Response, redirect, request
from werkzeug.exceptions import HTTPException

from blastgit.errors import NotFound
from blastgit.serve.facts import Facts
from blastgit.serve.page import Page, route
from blastgit.serve.resolve import find, read_spec
from blastgit.serve.site import site
from blastgit.serve.templating import address
from blastgit.store.media_types import media_type

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from blastgit.reading.checkout import Item

_HOUR = 3600
_CHUNK = 1 << 18


def install(app: Flask) -> None:
    """Put files at their addresses."""
    route(app, "/files/<spec>/", files, "/files/<spec>.json")
    app.add_url_rule("/files/<spec>.zip", "archive", archive)
    app.add_url_rule("/files/<spec>/<path:path>", "file", file, methods=["GET", "OPTIONS"])


def files(spec: str) -> Any:
    """Return the list of a revision's files."""
    here = site()
    read_spec(spec)
    found = find(here.repo(), spec)
    if found.name != spec:
        return redirect(f"/files/{address(found.name)}/", 302)
    facts = Facts(here.repo(), found.entry)
    revision = found.entry.revision
    data = {
        "revision": found.name, "document": revision.document_name,
        "files": [{**each, "url": f"/files/{address(found.name)}/{address(each['path'])}"} for each in facts.files()],
    }  # fmt: skip
    return Page("files.html", data)


def file(spec: str, path: str) -> BaseResponse:
    """Return a file of a revision, every byte compared with its checksum before the first is sent.

    Raises:
        NotFound: There is no such revision or file.
        Withdrawn: It was taken down.
        InvalidData: A stage failed that makes it, and `even_invalid=1` was not said.
    """
    if request.method == "OPTIONS":
        return _open(Response("", 204))
    wanted = read_spec(spec)
    if wanted.number is None and not wanted.is_latest:
        raise NotFound("the address of a file is /files/NAME@N/PATH")
    even_invalid = request.args.get("even_invalid", "0").lower() in ("1", "true", "yes")
    item = site().repo().tap.file(spec, path, even_invalid=even_invalid)
    response = Response(mimetype=media_type(item.path))
    response.headers["Content-Disposition"] = f'inline; filename="{plain_name(item.path)}"'
    response.cache_control.public = True
    response.cache_control.max_age = _HOUR if wanted.number is not None else 60
    response.set_etag(item.sha256)
    response.headers["Repr-Digest"] = f"sha-256=:{_base64(item.sha256)}:"
    response.content_length = item.size
    if request.method == "HEAD" or item.sha256 in request.if_none_match:
        response.make_conditional(request, accept_ranges=True, complete_length=item.size)
        return _open(response)
    body = _brought(item)
    response.response = _read(body)
    try:
        response.make_conditional(request, accept_ranges=True, complete_length=item.size)
    except HTTPException:  # a part that is not there
        body.close()
        raise
    return _open(response)


def archive(spec: str) -> BaseResponse:
    """Return all files of a revision that are there and valid, and its document, as a zip that opens as one folder."""
    here = site()
    repo = here.repo()
    found = find(repo, spec)
    if found.name != spec:
        return redirect(f"/files/{address(found.name)}.zip", 302)
    facts = Facts(repo, found.entry)
    names = [found.entry.revision.document_name, *(each["path"] for each in facts.files() if each["state"] == "ok")]
    items = [repo.tap.file(spec, name) for name in names]
    body = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it was sent)
    with zipfile.ZipFile(body, "w", zipfile.ZIP_STORED) as packed:  # what is large is compressed already
        for item in items:
            info = zipfile.ZipInfo(f"{found.name}/{item.path}", found.entry.revision.time.timetuple()[:6])
            with packed.open(info, "w") as member:
                for chunk in _checked(item):
                    member.write(chunk)
    size = body.tell()
    body.seek(0)
    response = Response(_read(body), mimetype="application/zip")
    response.content_length = size
    response.headers["Content-Disposition"] = f'attachment; filename="{plain_name(found.name)}.zip"'
    return _open(response)


def _checked(item: Item) -> Iterator[bytes]:
    from blastgit.repository.contents import checked

    return checked(item.read(), item.sha256, item.what)


def _brought(item: Item) -> IO[bytes]:
    body = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it was sent)
    try:
        body.writelines(_checked(item))
        body.seek(0)
    except BaseException:
        body.close()
        raise
    return cast("IO[bytes]", body)


def _read(body: IO[bytes]) -> Iterator[bytes]:
    """Yield a file piece by piece, and close it whether all of it is taken or not."""
    with body:
        while chunk := body.read(_CHUNK):
            yield chunk


def _open(response: Response) -> Response:
    """Let pages of other servers read it."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "Range, If-None-Match"
    response.headers["Access-Control-Expose-Headers"] = "ETag, Content-Length, Content-Range, Repr-Digest"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _base64(digest: str) -> str:
    from base64 import b64encode

    return b64encode(bytes.fromhex(digest)).decode("ascii")


def plain_name(path: str) -> str:
    """Return the name of a file in letters that every header and every system takes."""
    name = path.rpartition("/")[2]
    return "".join(each if (each.isalnum() and each.isascii()) or each in "._-+@" else "_" for each in name)
