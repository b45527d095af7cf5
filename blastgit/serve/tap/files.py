"""Files of revisions by address, `/files/2026dgt@1/cutout_cdn/DES/DES_z.fits`; each is checked before it is sent."""

from __future__ import annotations

from pathlib import Path

from werkzeug.wrappers import Response

from blastgit.errors import InvalidName, NotFound
from blastgit.naming.names import is_personal, parse_spec
from blastgit.serve.http.sending import send_item
from blastgit.serve.tap.request import NotAllowed, Request


def answer(location: Path, request: Request, names: list[str]) -> Response:
    """Return a file of a revision; `names` are the parts of the address after `files`.

    Raises:
        NotFound: The revision or file does not exist.
        Withdrawn: The file was withdrawn.
        InvalidData: The stage that makes the file failed, and the request does not have `even_invalid=1`.
        DamagedData: The file is missing from the store, or damaged.
    """
    from blastgit.api.repo import DataRepo

    if request.method not in ("GET", "HEAD"):
        raise NotAllowed("GET, HEAD")
    revision, path = names[0] if names else "", "/".join(names[1:])
    _check(revision, path)
    even_invalid = (request.parameters.one("EVEN_INVALID") or "0").lower() in ("1", "true", "yes")
    item = DataRepo(location).tap.file(revision, path, even_invalid=even_invalid)
    return send_item(item, request, is_fixed="@" in revision)


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
