"""Classifies the failures of a remote store: whether to retry, and what to tell people.

DVC's libraries raise the errors of each protocol's client. Without importing these clients, errors are recognised by
Python's own exception classes, by the names of their classes, and by the server's answer.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from blastgit.errors import StoreError
from blastgit.plumbing.extras import how_to_install

T = TypeVar("T")

_SETTINGS = ".dvc/config or your own blastgit/store.config"
_TRANSIENT_CLASSES = {
    "ClientConnectionError", "ClientPayloadError", "ConnectionClosedError", "ConnectionError", "ConnectionLost",
    "ConnectTimeoutError", "EndpointConnectionError", "FSTimeoutError", "HTTPClientError", "IncompleteRead",
    "IncompleteReadError", "ReadTimeoutError", "ResponseParserError", "ResponseStreamingError",
    "ServerDisconnectedError", "TimeoutError",
}  # fmt: skip
_TRANSIENT_ERRNOS = {
    errno.EAGAIN, errno.EBUSY, errno.ECONNABORTED, errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH,
    errno.EIO, errno.ENETUNREACH, errno.EPIPE, errno.EREMOTEIO, errno.ETIMEDOUT,
}  # fmt: skip


@dataclass(frozen=True)
class Patience:
    """How often to retry, and how long to wait before each retry.

    Attributes:
        waits: Seconds before each retry.
        sleep: Called to wait.
    """

    waits: tuple[float, ...] = (0.5, 2.0, 8.0)
    sleep: Callable[[float], object] = time.sleep

    def call(self, work: Callable[[], T]) -> T:
        """Return the result of `work`, retrying transient failures."""
        for wait in self.waits:
            try:
                return work()
            except Exception as error:
                if not is_transient(error):
                    raise
            self.sleep(wait)
        return work()


def is_transient(error: BaseException) -> bool:
    """Whether a retry may succeed: after throttling, a time-out, a lost connection, or an internal server error."""
    if is_interruption(error):
        return False
    status = http_status(error)
    if status is not None:
        return status >= 500 or status in (408, 409, 425, 429)
    for link in _chain(error):
        if isinstance(link, PermissionError | FileNotFoundError):
            return False
        if isinstance(link, OSError) and link.errno in _TRANSIENT_ERRNOS:
            return True
        if _classes(link) & _TRANSIENT_CLASSES:
            return True
    return False


def is_interruption(error: BaseException) -> bool:
    """Whether the error is not the server's: a client treats Celery's soft time limit as a failure."""
    return any("SoftTimeLimitExceeded" in _classes(link) for link in _chain(error))


def http_status(error: BaseException) -> int | None:
    """Return the HTTP status of an error, or None."""
    return next((status for link in _chain(error) if (status := _status(link)) is not None), None)


def explain(url: str, error: BaseException, *, what: str = "the store", settings: str = _SETTINGS) -> StoreError:
    """Return the error to raise: what failed, and what to do next.

    Args:
        url: The store.
        error: The exception.
        what: The name of the thing that failed.
        settings: The settings that people can correct.
    """
    said = str(error).strip() or type(error).__name__
    for applies, words in _EXPLANATIONS:
        if any(applies(link) for link in _chain(error)):
            return StoreError(f"{what} {url} {words.format(settings=settings)} ({said})")
    return StoreError(f"{what} {url} fails: {said}")


def is_missing_bucket(error: BaseException) -> bool:
    """Whether the bucket or container itself is missing, not an object in it."""
    return any("NoSuchBucket" in str(link) or "bucket does not exist" in str(link) for link in _chain(error))


def _named(*names: str) -> Callable[[BaseException], bool]:
    return lambda error: bool(_classes(error) & set(names))


def _saying(*words: str) -> Callable[[BaseException], bool]:
    return lambda error: any(word in str(error) for word in words)


_NO_PART_OF_DVC = (
    f"needs a plugin of DVC that is not installed: for s3:// {how_to_install('s3')}, for ssh:// pip install "
    "'dvc[ssh]', and so on"
)
_EXPLANATIONS: list[tuple[Callable[[BaseException], bool], str]] = [
    (_named("RemoteMissingDepsError", "ImportError"), _NO_PART_OF_DVC),
    (_named("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"),
     "needs credentials: put them into the environment, or correct {settings}"),
    (_named("ProfileNotFound", "ConfigError", "AuthError", "Invalid", "ParamValidationError"),
     "cannot be opened with these settings: correct {settings}"),
    (_saying("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidClientTokenId"),
     "does not accept these credentials: renew them"),
    (lambda error: isinstance(error, PermissionError) or _status(error) in (401, 403),
     "denies this: ask its owner for access; writing needs more rights than reading"),
    (is_missing_bucket,
     "does not exist: make its bucket, or correct {settings}"),
    (lambda error: isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT),
     "or this machine's temporary folder is full: make room, then try again"),
    (_saying("Name or service not known", "nodename nor servname", "name resolution", "getaddrinfo", "DNS"),
     "has an unknown host name: correct the URL, or check the network"),
    (_named("ConnectionClosedError", "ServerDisconnectedError", "ConnectionResetError", "IncompleteRead",
            "IncompleteReadError"),
     "broke off the connection in several attempts: try again later"),
    (lambda error: isinstance(error, TimeoutError) or bool(_classes(error) & {"FSTimeoutError", "HTTPClientError"}),
     "did not answer in time in several attempts: try again later"),
    (_named("EndpointConnectionError", "ClientConnectorError", "ConnectionError"),
     "cannot be reached: is the server up, and are the URL and the endpoint right?"),
    (lambda error: _status(error) in (429, 503) or (isinstance(error, OSError) and error.errno == errno.EBUSY),
     "is too busy and rejected several attempts: try again later"),
]  # fmt: skip


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _classes(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _status(error: BaseException) -> int | None:
    """Return the HTTP status in an error of any client, or None."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        status = getattr(error, "status", None) or getattr(response, "status_code", None)
    return status if isinstance(status, int) else None
