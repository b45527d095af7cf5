"""The application: which page is at which address, and what an error looks like."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from blastgit.errors import (
    BlastgitError,
    Busy,
    DamagedData,
    Denied,
    InvalidData,
    InvalidInput,
    NotFound,
    OverLimit,
    RepoError,
    StoreError,
    UsageError,
    Withdrawn,
)
from blastgit.serve import login, pages, templating
from blastgit.serve.page import to_json
from blastgit.serve.security import protect
from blastgit.serve.site import Site

_LOG = logging.getLogger("blastgit.serve")
_STATUS: tuple[tuple[type[BlastgitError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (Withdrawn, HTTPStatus.GONE),
    (InvalidData, HTTPStatus.CONFLICT),
    (OverLimit, HTTPStatus.BAD_REQUEST),
    (UsageError, HTTPStatus.BAD_REQUEST),
    (InvalidInput, HTTPStatus.BAD_REQUEST),
    (Denied, HTTPStatus.FORBIDDEN),
    (Busy, HTTPStatus.SERVICE_UNAVAILABLE),
    (DamagedData, HTTPStatus.BAD_GATEWAY),
    (StoreError, HTTPStatus.BAD_GATEWAY),
    (RepoError, HTTPStatus.BAD_GATEWAY),
)
_OURS = "The data cannot be read here at the moment. The operator of this server finds the reason in its log."
_UNEXPECTED = "Something went wrong that should not have. The operator of this server finds it in its log."
_BODY = 12_000_000  # bytes of a request: an attachment of 10 MB and the form around it


def create_app(site: Site) -> Flask:
    """Return the application that serves a site."""
    app = Flask("blastgit.serve", static_folder=None, template_folder=str(templating.TEMPLATES))
    app.extensions["blastgit"] = site
    app.secret_key = site.secret
    app.config.update(MAX_CONTENT_LENGTH=_BODY, MAX_FORM_PARTS=200)
    app.url_map.strict_slashes = False
    templating.install(app)
    login.install(app)
    pages.install(app)
    app.after_request(protect)
    app.register_error_handler(BlastgitError, _expected)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)
    return app


def status_of(error: BlastgitError) -> HTTPStatus:
    """Return the status that an error is answered with."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def _expected(error: BlastgitError) -> Response:
    status = status_of(error)
    words = str(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.SERVICE_UNAVAILABLE:
        _LOG.error("%s %s: %s", request.method, request.path.encode("unicode_escape").decode(), error)
        words = _OURS
    return _failed(status, error.kind, words)


def _http(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or 500)
    response = _failed(status, status.phrase.lower().replace(" ", "-"), _WORDS.get(status, error.description or ""))
    for name, value in error.get_headers():
        if name.lower() in ("allow", "content-range", "retry-after", "www-authenticate"):
            response.headers[name] = value
    if error.response is not None and error.response.location:
        response = Response("", error.response.status_code, {"Location": error.response.location})
    return response


_WORDS = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that method.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is more than this server takes at once.",
}


def _unexpected(_: Exception) -> Response:
    _LOG.exception("%s %s", request.method, request.path.encode("unicode_escape").decode())
    return _failed(HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected", _UNEXPECTED)


def _failed(status: HTTPStatus, kind: str, words: str) -> Response:
    data: dict[str, Any] = {"error": {"kind": kind, "status": status.value, "message": words}}
    if request.path.endswith(".json") or request.accept_mimetypes.best == "application/json":
        response = Response(to_json(data), status.value, mimetype="application/json")
        response.headers["Access-Control-Allow-Origin"] = "*"
    elif request.path.startswith(("/files/", "/image/")):
        response = Response(f"{words}\n", status.value, mimetype="text/plain")
        response.headers["Access-Control-Allow-Origin"] = "*"
    else:
        text = render_template("error.html", data=data, status=status)
        response = Response(text, status.value, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "10"
    return response
