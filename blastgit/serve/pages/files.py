"""`/files/NAME@N/`: the files of a revision: a list, each file (with Range and ETag), and all files as a zip."""

from __future__ import annotations

import tempfile
import zipfile
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, redirect, request

from blastgit.errors import NotFound
from blastgit.serve.facts import Facts
from blastgit.serve.http.sending import open_to_all, plain_name, send_file, send_item
from blastgit.serve.page import Page, route
from blastgit.serve.resolve import find, read_spec
from blastgit.serve.site import site
from blastgit.serve.templating import address

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse


def install(app: Flask) -> None:
    """Register the list, the files and the zip."""
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
    """Return a file of a revision; all bytes are checked against the checksum before the first is sent.

    Raises:
        NotFound: The revision or file does not exist.
        Withdrawn: The file was withdrawn.
        InvalidData: The stage that makes the file failed, and the request does not have `even_invalid=1`.
    """
    if request.method == "OPTIONS":
        return open_to_all(Response("", 204))
    wanted = read_spec(spec)
    if wanted.number is None and not wanted.is_latest:
        raise NotFound("the address of a file is /files/NAME@N/PATH")
    even_invalid = request.args.get("even_invalid", "0").lower() in ("1", "true", "yes")
    item = site().repo().tap.file(spec, path, even_invalid=even_invalid)
    return send_item(item, request, is_fixed=wanted.number is not None)


def archive(spec: str) -> BaseResponse:
    """Return a zip with one folder: all present and valid files of a revision, and its document."""
    here = site()
    repo = here.repo()
    found = find(repo, spec)
    if found.name != spec:
        return redirect(f"/files/{address(found.name)}.zip", 302)
    facts = Facts(repo, found.entry)
    names = [found.entry.revision.document_name, *(each["path"] for each in facts.files() if each["state"] == "ok")]
    items = [repo.tap.file(spec, name) for name in names]
    body = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it was sent)
    with zipfile.ZipFile(body, "w", zipfile.ZIP_STORED) as packed:  # large files are compressed already
        for item in items:
            info = zipfile.ZipInfo(f"{found.name}/{item.path}", found.entry.revision.time.timetuple()[:6])
            with packed.open(info, "w") as member:
                for chunk in item.checked():
                    member.write(chunk)
    size = body.tell()
    body.seek(0)
    response = send_file(body, size, "application/zip", request)
    response.headers["Content-Disposition"] = f'attachment; filename="{plain_name(found.name)}.zip"'
    return open_to_all(response)
