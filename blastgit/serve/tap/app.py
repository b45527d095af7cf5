"""The service as a WSGI application: from an address to what answers there, and from an error to a status."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from blastgit.errors import (
    BlastgitError,
    Busy,
    DamagedData,
    InvalidData,
    InvalidQuery,
    NotFound,
    OverLimit,
    RepoError,
    StoreError,
    UsageError,
    Withdrawn,
)
from blastgit.search.tabular.votable import error_document
from blastgit.serve.tap import documents, files
from blastgit.serve.tap.asked import asked
from blastgit.serve.tap.jobs import Finished, Job, Jobs
from blastgit.serve.tap.limits import ServiceLimits
from blastgit.serve.tap.queries import Queries
from blastgit.serve.tap.request import NotAllowed, Request, Response, request_of
from blastgit.serve.tap.uws import Uws

_LOG = logging.getLogger("blastgit.serve.tap")
_METHODS = ("GET", "HEAD", "POST", "DELETE")
_XML, _HTML = "text/xml; charset=utf-8", "text/html; charset=utf-8"
_VOTABLE = "application/x-votable+xml"
_STATUS: tuple[tuple[type[BlastgitError], HTTPStatus], ...] = (
    (NotAllowed, HTTPStatus.METHOD_NOT_ALLOWED),
    (InvalidQuery, HTTPStatus.BAD_REQUEST),
    (UsageError, HTTPStatus.BAD_REQUEST),
    (OverLimit, HTTPStatus.BAD_REQUEST),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Busy, HTTPStatus.SERVICE_UNAVAILABLE),
    (Withdrawn, HTTPStatus.GONE),
    (InvalidData, HTTPStatus.CONFLICT),
)
_OURS = "the data cannot be read here at the moment; the service's keeper finds the reason in its log"
_UNEXPECTED = "something went wrong that should not have; the service's keeper finds it in its log"

StartResponse = Callable[..., Any]


class App:
    """Answers requests."""

    def __init__(self, repo: Path, queries: Queries, limits: ServiceLimits, url: str | None = None) -> None:
        """Serve the data repo at `repo`; `url` is what the public knows the service by."""
        self._repo = repo
        self._queries = queries
        self._limits = limits
        self._url = url
        self.jobs = Jobs(self._work, limits)
        self._uws = Uws(self.jobs)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        response = self._response(environ)
        headers = {
            "Content-Type": response.type, "Content-Length": str(response.length), "X-Content-Type-Options": "nosniff",
            **response.headers,
        }  # fmt: skip
        bodiless = response.status == HTTPStatus.NOT_MODIFIED
        if bodiless:
            del headers["Content-Length"], headers["Content-Type"]
        start_response(f"{response.status.value} {response.status.phrase}", list(headers.items()))
        if isinstance(response.body, bytes):
            return [] if bodiless or environ["REQUEST_METHOD"] == "HEAD" else [response.body]
        if environ["REQUEST_METHOD"] == "HEAD":
            response.body.close()
            return []
        sent: Iterable[bytes] = environ["wsgi.file_wrapper"](response.body)
        return sent

    def _response(self, environ: dict[str, Any]) -> Response:
        try:
            return self._answer(request_of(environ, self._url))
        except BlastgitError as error:
            return self._failed(error, environ.get("PATH_INFO", ""))
        except Exception:  # noqa: BLE001 (a client gets a sentence, the log has the rest)
            _LOG.exception("%s %s", environ.get("REQUEST_METHOD"), quote(environ.get("PATH_INFO", "")))
            return Response(error_document(_UNEXPECTED).encode(), _VOTABLE, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _failed(self, error: BlastgitError, path: str) -> Response:
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), None)
        words = str(error)
        if status is None:
            _LOG.error("%s: %s", quote(path), error)
            status, words = HTTPStatus.INTERNAL_SERVER_ERROR, _OURS
            if isinstance(error, DamagedData | StoreError | RepoError):
                status = HTTPStatus.BAD_GATEWAY
        headers = {"Retry-After": "30"} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
        if isinstance(error, NotAllowed):
            headers, words = {"Allow": words}, f"this address takes {words}"
        if path.startswith("/files"):
            return Response(f"{words}\n".encode(), status=status, headers=headers)
        return Response(error_document(words).encode(), _VOTABLE, status, headers)

    def _answer(self, request: Request) -> Response:
        if request.method not in _METHODS:
            raise NotAllowed(", ".join(_METHODS))
        parts = request.path.removeprefix("/").split("/")
        if parts[0] == "files":
            return files.answer(self._repo, request, parts[1:])
        names = [part for part in parts if part]
        if names[:1] != ["tap"]:
            if not names:
                return Response(documents.page(request.base), _HTML)
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
                return Response(documents.page(request.base), _HTML)
            case ["capabilities"]:
                return Response(documents.capabilities(request.base, self._limits), _XML)
            case ["availability"]:
                return Response(documents.availability(), _XML)
            case ["tables"]:
                detailed = (request.parameters.one("DETAIL") or "max").lower() != "min"
                return Response(documents.tableset(detailed=detailed), _XML)
            case ["tables", name]:
                found = documents.one_table(name)
                if found is not None:
                    return Response(found, _XML)
            case ["examples"]:
                return Response(documents.examples(), "application/xhtml+xml")
        raise NotFound("there is nothing at this address: see /tap")

    def _sync(self, request: Request) -> Response:
        if request.method == "DELETE":
            raise NotAllowed("GET, HEAD, POST")
        what = asked(request.parameters, self._limits)
        with self._queries.place():
            path = self._queries.answer(what, request.base, self._limits.seconds)
        file, size = path.open("rb"), path.stat().st_size
        path.unlink()  # its content goes when it was sent
        return Response(file, what.form.mime, size=size)

    def _work(self, job: Job) -> Finished:
        what = asked(job.parameters, self._limits)
        path = self._queries.answer(what, job.base, job.seconds, job.stop)
        return Finished(path, what.form.mime, path.stat().st_size)
