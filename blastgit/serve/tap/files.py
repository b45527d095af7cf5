"""Files of revisions by their address, `/files/2026dgt@1/cutout_cdn/DES/DES_z.fits`: each checked before it is sent."""

from __future__ import annotations

import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from blastgit.errors import InvalidName, NotFound
from blastgit.naming.names import is_personal, parse_spec
from blastgit.repository.contents import checked
from blastgit.serve.tap.request import NotAllowed, Request, Response
from blastgit.store.media_types import media_type

if TYPE_CHECKING:
    from blastgit.reading.checkout import Item

_YEAR = 365 * 86400


def answer(location: Path, request: Request, names: list[str]) -> Response:
    """Return a file of a revision; `names` are the parts of the address after `files`.

    Raises:
        NotFound: There is no such revision or file.
        Withdrawn: It was taken down.
        InvalidData: A stage failed that makes it, and `even_invalid=1` was not said.
        DamagedData: The store lacks it, or holds something else.
    """
    from blastgit.api.repo import DataRepo

    if request.method not in ("GET", "HEAD"):
        raise NotAllowed("GET, HEAD")
    revision, path = names[0] if names else "", "/".join(names[1:])
    _check(revision, path)
    even_invalid = (request.parameters.one("EVEN_INVALID") or "0").lower() in ("1", "true", "yes")
    item = DataRepo(location).tap.file(revision, path, even_invalid=even_invalid)
    return _response(item, request, is_fixed="@" in revision)


def _check(revision: str, path: str) -> None:
    if not path:
        raise NotFound("the address of a file is /files/NAME@N/PATH")
    try:
        spec = parse_spec(revision)
    except InvalidName:
        raise NotFound(
            f"there is no revision {revision[:100]!r}: the address of a file is /files/NAME@N/PATH"
        ) from None
    if (
        is_personal(spec.name)
        or spec.path is not None
        or spec.stage is not None
        or (spec.number is None and "@" in revision)
    ):
        raise NotFound(f"there is no revision {revision[:100]!r}: the address of a file is /files/NAME@N/PATH")


def _response(item: Item, request: Request, *, is_fixed: bool) -> Response:
    age = _YEAR if is_fixed else 60
    headers = {
        "ETag": f'"{item.sha256}"',
        "Cache-Control": f"public, max-age={age}",
        "Content-Disposition": f'inline; filename="{_plain(item.path.rpartition("/")[2])}"',
    }
    if item.sha256 in request.etag:
        return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    type_ = media_type(item.path)
    if request.method == "HEAD":
        return Response(b"", type_, headers=headers, size=item.size)
    return Response(_brought(item), type_, headers=headers, size=item.size)


def _brought(item: Item) -> BinaryIO:
    """Return a file of the content, all of which was compared with its checksum."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the server closes it)
    try:
        file.writelines(checked(item.read(), item.sha256, item.what))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return cast("BinaryIO", file)


def _plain(name: str) -> str:
    return "".join(each if (each.isalnum() and each.isascii()) or each in "._-+" else "_" for each in name)
