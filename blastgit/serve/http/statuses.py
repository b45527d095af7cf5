"""The HTTP status of each error, and how much of its message a client may read."""

from __future__ import annotations

import logging
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from werkzeug.wrappers import Request

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

UNEXPECTED = "Something went wrong that should not have. The operator of this server finds it in its log."
_HIDDEN = "The data cannot be read here at the moment. The operator of this server finds the reason in its log."
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


def http_status(error: BlastgitError) -> HTTPStatus:
    """Return the HTTP status for an error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)


def told(error: BlastgitError, log: logging.Logger, request: Request, repo: Path) -> tuple[HTTPStatus, str]:
    """Return the status of an error and the words for the client.

    The operator's own troubles go to the log alone, and where the data repo lies on this machine is told to nobody.
    """
    status = http_status(error)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.SERVICE_UNAVAILABLE:
        return status, str(error).replace(str(repo), repo.name.removesuffix(".git"))
    log.error("%s %s: %s", request.method, quote(request.path), error)
    return status, _HIDDEN
