"""The service as a WSGI application: it routes requests, and turns errors into responses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from blastgit.errors import BlastgitError, NotFound
from blastgit.search.tabular.votable import error_document
from blastgit.serve.http.sending import send_file
from blastgit.serve.http.statuses import UNEXPECTED, told
from blastgit.serve.tap import documents, files
from blastgit.serve.tap.asked import asked
from blastgit.serve.tap.jobs import Finished, Job, Jobs
from blastgit.serve.tap.limits import ServiceLimits
from blastgit.serve.tap.queries import Queries
from blastgit.serve.tap.request import NotAllowed, Request
from blastgit.serve.tap.uws import Uws

_LOG = logging.getLogger("blastgit.serve.tap")
_METHODS = ("GET", "HEAD", "POST", "DELETE")
_XML, _HTML = "text/xml; charset=utf-8", "text/html; charset=utf-8"
_VOTABLE = "application/x-votable+xml"
StartResponse = Callable[..., Any]


class App:
    """Answers requests."""

    def __init__(self, repo: Path, queries: Queries, limits: ServiceLimits, url: str | None = None) -> None:
        """Serve the data repo at `repo`; `url` is the public URL of the service."""
        self._repo = repo
        self._queries = queries
        self._limits = limits
        self._url = url
        self.jobs = Jobs(self._work, limits)
        self._uws = Uws(self.jobs)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        response = self._response(Request(environ, self._url))
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response(environ, start_response)

    def _response(self, request: Request) -> Response:
        try:
            return self._answer(request)
        except NotAllowed as error:
            words, headers = f"this address takes {error}", {"Allow": str(error)}
            return _failed(request, HTTPStatus.METHOD_NOT_ALLOWED, words, headers)
        except BlastgitError as error:
            return _failed(request, *told(error, _LOG, request, self._repo))
        except HTTPException as error:
            kept = {name: value for name, value in error.get_headers() if name.lower() == "content-range"}
            return _failed(request, HTTPStatus(error.code or 500), error.description or error.name, kept)
        except Exception:  # noqa: BLE001 (a client gets a sentence, the log has the rest)
            _LOG.exception("%s %s", request.method, quote(request.path))
            return _failed(request, HTTPStatus.INTERNAL_SERVER_ERROR, UNEXPECTED)

    def _answer(self, request: Request) -> Response:
        if request.method not in _METHODS:
            raise NotAllowed(", ".join(_METHODS))
        parts = request.path.removeprefix("/").split("/")
        if parts[0] == "files":
            return files.answer(self._repo, request, parts[1:])
        names = [part for part in parts if part]
        if names[:1] != ["tap"]:
            if not names:
                return Response(documents.page(request.base), content_type=_HTML)
            raise NotFound("there is nothing at this address: the service is at /tap")
        if names[1:2] == ["sync"] and len(names) == 2:
            return self._sync(request)
        if names[1:2] == ["async"]:
            return self._uws.answer(request, names[2:])
        return self._document(request, names[1:])

    def _document(self, request: Request, names: list[str]) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise NotAllowed("GET, HEAD")
        match names:
            case []:
                return Response(documents.page(request.base), content_type=_HTML)
            case ["capabilities"]:
                return Response(documents.capabilities(request.base, self._limits), content_type=_XML)
            case ["availability"]:
                return Response(documents.availability(), content_type=_XML)
            case ["tables"]:
                detailed = (request.parameters.one("DETAIL") or "max").lower() != "min"
                return Response(documents.tableset(detailed=detailed), content_type=_XML)
            case ["tables", name]:
                found = documents.one_table(name)
                if found is not None:
                    return Response(found, content_type=_XML)
            case ["examples"]:
                return Response(documents.examples(), content_type="application/xhtml+xml")
        raise NotFound("there is nothing at this address: see /tap")

    def _sync(self, request: Request) -> Response:
        if request.method == "DELETE":
            raise NotAllowed("GET, HEAD, POST")
        what = asked(request.parameters, self._limits)
        with self._queries.place():
            path = self._queries.answer(what, request.base, self._limits.seconds)
        file, size = path.open("rb"), path.stat().st_size
        path.unlink()  # its content is removed once it was sent
        return send_file(file, size, what.form.mime, request)

    def _work(self, job: Job) -> Finished:
        what = asked(job.parameters, self._limits)
        path = self._queries.answer(what, job.base, job.seconds, job.stop)
        return Finished(path, what.form.mime, path.stat().st_size)


def _failed(request: Request, status: HTTPStatus, words: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the response for an error: in the format that TAP requires, or as plain text for a file."""
    if request.path.startswith("/files"):
        response = Response(f"{words}\n", status)
    else:
        response = Response(error_document(words), status, content_type=_VOTABLE)
    response.headers.update(headers or {})
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "30"
    return response
