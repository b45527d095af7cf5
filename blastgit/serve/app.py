"""The Flask application: it registers the pages, and turns errors into responses."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from blastgit.errors import BlastgitError
from blastgit.serve import login, pages, templating
from blastgit.serve.http.statuses import UNEXPECTED, told
from blastgit.serve.page import to_json
from blastgit.serve.security import protect
from blastgit.serve.site import Site, site

_LOG = logging.getLogger("blastgit.serve")
BODY_LIMIT = 12_000_000
"""The maximum size of a request in bytes: an attachment of 10 MB and the form around it."""


def create_app(served: Site) -> Flask:
    """Return the application that serves a site."""
    app = Flask("blastgit.serve", static_folder=None, template_folder=str(templating.TEMPLATES))
    app.extensions["blastgit"] = served
    app.secret_key = served.secret
    app.config.update(MAX_CONTENT_LENGTH=BODY_LIMIT, MAX_FORM_PARTS=200)
    app.url_map.strict_slashes = False
    templating.install(app)
    login.install(app)
    pages.install(app)
    app.after_request(protect)
    app.register_error_handler(BlastgitError, _expected)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)
    return app


def _expected(error: BlastgitError) -> Response:
    status, words = told(error, _LOG, request, site().path)
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
    return _failed(HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected", UNEXPECTED)


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
