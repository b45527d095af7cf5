"""What a remote store's failures mean: whether to try again, and what to tell people.

DVC's libraries raise whatever the client of each protocol does. None of those is imported here: an error is known by
its place in Python's own tree, by the names of its classes, and by what the server said.
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
    """How often to try, and how long to wait before each further try.

    Attributes:
        waits: Seconds, one for each further try.
        sleep: What waits.
    """

    waits: tuple[float, ...] = (0.5, 2.0, 8.0)
    sleep: Callable[[float], object] = time.sleep

    def call(self, work: Callable[[], T]) -> T:
        """Return what `work` does, trying again as long as it fails for a reason that passes."""
        for wait in self.waits:
            try:
                return work()
            except Exception as error:
                if not is_transient(error):
                    raise
            self.sleep(wait)
        return work()


def is_transient(error: BaseException) -> bool:
    """Whether another try may well succeed: throttling, a time-out, a lost connection, a server's inner failure."""
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
    """Whether it was not the server: Celery told a task that its time is over, and a client took that for a failure."""
    return any("SoftTimeLimitExceeded" in _classes(link) for link in _chain(error))


def http_status(error: BaseException) -> int | None:
    """Return the HTTP status behind an error, or None if there is none."""
    return next((status for link in _chain(error) if (status := _status(link)) is not None), None)


def explain(url: str, error: BaseException, *, what: str = "the store", settings: str = _SETTINGS) -> StoreError:
    """Return the error to raise: what failed, and what to do next.

    Args:
        url: Where it is.
        error: What was raised.
        what: What it is.
        settings: What people can mend.
    """
    said = str(error).strip() or type(error).__name__
    for applies, words in _EXPLANATIONS:
        if any(applies(link) for link in _chain(error)):
            return StoreError(f"{what} {url} {words.format(settings=settings)} ({said})")
    return StoreError(f"{what} {url} fails: {said}")


def is_missing_bucket(error: BaseException) -> bool:
    """Whether it is the bucket or container that is missing, not an object in it."""
    return any("NoSuchBucket" in str(link) or "bucket does not exist" in str(link) for link in _chain(error))


def _named(*names: str) -> Callable[[BaseException], bool]:
    return lambda error: bool(_classes(error) & set(names))


def _saying(*words: str) -> Callable[[BaseException], bool]:
    return lambda error: any(word in str(error) for word in words)


_NO_PART_OF_DVC = (
    f"needs a part of DVC that is not installed: for s3:// {how_to_install('s3')}, for ssh:// pip install 'dvc[ssh]', "
    "for others alike"
)
_EXPLANATIONS: list[tuple[Callable[[BaseException], bool], str]] = [
    (_named("RemoteMissingDepsError", "ImportError"), _NO_PART_OF_DVC),
    (_named("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"),
     "asks for credentials and finds none: put them into the environment, or mend {settings}"),
    (_named("ProfileNotFound", "ConfigError", "AuthError", "Invalid", "ParamValidationError"),
     "cannot be opened with these settings: mend {settings}"),
    (_saying("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidClientTokenId"),
     "does not accept these credentials: renew them"),
    (lambda error: isinstance(error, PermissionError) or _status(error) in (401, 403),
     "denies this: ask its owner for access; writing needs more rights than reading"),
    (is_missing_bucket,
     "does not exist: make its bucket, or mend {settings}"),
    (lambda error: isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT),
     "or this machine's temporary folder has no space left: make room, then repeat the call"),
    (_saying("Name or service not known", "nodename nor servname", "name resolution", "getaddrinfo", "DNS"),
     "has a host name that is not known here: correct the URL, or see to the network"),
    (_named("ConnectionClosedError", "ServerDisconnectedError", "ConnectionResetError", "IncompleteRead",
            "IncompleteReadError"),
     "broke off the connection, in several tries: try again later"),
    (lambda error: isinstance(error, TimeoutError) or bool(_classes(error) & {"FSTimeoutError", "HTTPClientError"}),
     "did not answer in time, in several tries: try again later"),
    (_named("EndpointConnectionError", "ClientConnectorError", "ConnectionError"),
     "cannot be reached: is the server up, and are the URL and the endpoint right?"),
    (lambda error: _status(error) in (429, 503) or (isinstance(error, OSError) and error.errno == errno.EBUSY),
     "is busy and asked for fewer requests, in several tries: try again later"),
]  # fmt: skip


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what caused it."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _classes(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _status(error: BaseException) -> int | None:
    """Return the HTTP status that the server gave, wherever the client keeps it."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        status = getattr(error, "status", None) or getattr(response, "status_code", None)
    return status if isinstance(status, int) else None
