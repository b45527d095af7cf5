"""Parses the location of a data repo: a local folder, or the URL of a remote repository."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from blastgit.errors import UsageError

_SCP_LIKE = re.compile(r"(?:[^/:@]+@)?(?P<host>[^/:]+):(?!//).+", re.DOTALL)
_SCHEMES = {"file", "http", "https", "ssh", "git", "git+ssh"}
_HERE = ("", "localhost")


def local_path(location: str) -> Path | None:
    """Return the local folder for a location, or None if it is the URL of a remote repository.

    Raises:
        UsageError: It is not safe to pass to git: other schemes, or a host like `-option`, could run a program.
    """
    if "\0" in location or not location:
        raise UsageError(f"{location!r} is not a location of a data repo")
    if "://" not in location and "::" not in location:
        return _path_or_host(location)
    parts = _split(location)
    if parts.scheme not in _SCHEMES or "::" in location.split("/", maxsplit=1)[0]:
        raise UsageError(f"{location!r}: a data repo is a folder, or a URL of {', '.join(sorted(_SCHEMES))}")
    if parts.scheme == "file" and parts.netloc in _HERE:
        return Path(unquote(parts.path))
    _check_host(location, parts.netloc.rpartition("@")[2])
    return None


def shown(url: str) -> str:
    """Return a URL for messages, without the user name or token for a web server."""
    head, slashes, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    return f"{head}{slashes}{place.rpartition('@')[2]}{slash}{path}" if head in ("http", "https") else url


def _path_or_host(location: str) -> Path | None:
    if location.startswith("file:/"):
        return Path(unquote(location.removeprefix("file:")))
    match = _SCP_LIKE.fullmatch(location)
    if match is None or Path(location).exists():
        return Path(location)
    _check_host(location, match["host"])
    return None


def _split(location: str) -> SplitResult:
    try:
        return urlsplit(location)
    except ValueError as error:
        raise UsageError(f"{location!r} is not a URL: {error}") from None


def _check_host(location: str, host: str) -> None:
    if not location.isprintable() or location.startswith("-") or host.startswith("-"):
        raise UsageError(f"{location!r} does not name a host that git can connect to")
