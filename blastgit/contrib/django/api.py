"""REST endpoints in the style of Blast's, with its permissions. Without `?revision=` they call Blast's own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from django.http import FileResponse, JsonResponse
from rest_framework.decorators import api_view
from rest_framework.response import Response

from blastgit.api.repo import DataRepo
from blastgit.contrib.django.history import open_draft, permalink, revisions
from blastgit.contrib.django.options import options
from blastgit.contrib.django.payload import flat
from blastgit.errors import BlastgitError, InvalidInput, NotFound, UsageError, Withdrawn

_STATUS = ((NotFound, 404), (Withdrawn, 410), (InvalidInput, 400), (UsageError, 400))

View = Callable[..., Any]


def _said(view: View) -> View:
    """Turn an expected error into a response like those of Blast's API: a status and a message."""

    @wraps(view)
    def answer(*args: Any, **given: Any) -> Any:
        try:
            return view(*args, **given)
        except BlastgitError as error:
            status = next((code for kind, code in _STATUS if isinstance(error, kind)), 503)
            return Response({"message": str(error)}, status=status)

    return answer


@api_view(["GET"])  # type: ignore[untyped-decorator,unused-ignore]
@_said
def list_revisions(request: Any, transient_name: str) -> Any:  # noqa: ARG001 (Django's signature)
    """Return the revisions of a transient, newest first: when, why, what changed, and the permalink of each."""
    told = options()
    repo = DataRepo(told.repo)
    found, draft = revisions(repo, transient_name, told), open_draft(repo, transient_name)
    if not found and draft is None:
        raise NotFound(f"{transient_name} has no revision")
    return Response({"transient": transient_name, "count": len(found), "revisions": found, "draft": draft})


def export(request: Any, transient_name: str, all: str = "") -> Any:  # noqa: A002 (Blast's name)
    """Return the export of a revision, or its archive with all files."""
    if "revision" in request.GET:
        return _export(request, transient_name, all)
    from api.views import export_transient_view

    return export_transient_view(request, transient_name=transient_name, all=all)


def get(request: Any, transient_name: str) -> Any:
    """Return a revision as a flat table."""
    if "revision" in request.GET:
        return _get(request, transient_name)
    from api.views import get_transient_science_payload

    return get_transient_science_payload(request, transient_name)


@api_view(["GET"])  # type: ignore[untyped-decorator,unused-ignore]
@_said
def _export(request: Any, transient_name: str, with_files: str) -> Any:
    number, repo = _number(request), DataRepo(options().repo)
    if with_files:
        return _archive(repo, f"{transient_name}@{number}")
    return JsonResponse(_document(repo, transient_name, number))


@api_view(["GET"])  # type: ignore[untyped-decorator,unused-ignore]
@_said
def _get(request: Any, transient_name: str) -> Any:
    return Response(flat(_document(DataRepo(options().repo), transient_name, _number(request))))


def _number(request: Any) -> int:
    text = request.GET["revision"]
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise UsageError(f"revision={text}: a revision is a whole number, from 0")
    return int(text)


def _document(repo: DataRepo, name: str, number: int) -> dict[str, Any]:
    document = repo.show(f"{name}@{number}", even_invalid=True).value
    metadata = {**document["metadata"], "permalink": permalink(name, number, options())}
    return {**document, "metadata": metadata}


def _archive(repo: DataRepo, spec: str) -> FileResponse:
    with tempfile.TemporaryDirectory(prefix="blastgit-") as folder:
        path = Path(folder, "archive.tar.gz")
        repo.export(spec, path)
        content = path.open("rb")  # the open file can still be read after it was removed
    return FileResponse(content, as_attachment=True, filename=f"{spec}.tar.gz", content_type="application/gzip")
