"""Lists the contents of an S3 store without DVC's libraries, whose import takes longer than the whole check of a push.

This client only handles the simple case: keys in the options, the environment or `~/.aws/credentials`, and a server
that accepts them. For all other settings, and on any failure, it raises `Unanswered`, which says nothing about the
store, and DVC's own client is used.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from blastgit.store.base import Sizes
from blastgit.store.config import Remote
from blastgit.store.questions import PAGE, Questions

_URL = re.compile(r"s3://(?P<bucket>[a-z0-9.-]+)(?P<path>(/[A-Za-z0-9._-]+)*)/?")
_OPTIONS = frozenset({
    "endpointurl", "region", "access_key_id", "secret_access_key", "session_token", "connect_timeout", "read_timeout",
    "jobs", "sse", "sse_kms_key_id", "acl",
})  # fmt: skip
_VARIABLES = frozenset({
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE",
})  # fmt: skip
_OF_TRUST = frozenset({"AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"})
"""Variables for trusted certificates, which do not matter without encryption."""

_PLAIN_SETTINGS = frozenset({"region", "output"})
_NO_BODY = hashlib.sha256(b"").hexdigest()
_TIMEOUT = 10.0  # seconds; DVC's client waits longer
_LARGEST = 8 * 1024 * 1024  # bytes in an answer; a thousand names take less than half a megabyte


class Unanswered(Exception):
    """This client cannot answer."""


@dataclass(frozen=True)
class Keys:
    """The credentials for a bucket."""

    access: str
    secret: str
    token: str = ""


@dataclass(frozen=True)
class Place:
    """The location of a store's contents.

    Attributes:
        endpoint: The server's URL.
        region: The region for signatures.
        path: The path of the bucket in a request; "/" if the host name contains the bucket.
        prefix: The prefix of the contents' keys.
        keys: The credentials.
    """

    endpoint: str
    region: str
    path: str
    prefix: str
    keys: Keys


def sizes(remote: Remote, md5s: Collection[str]) -> Sizes:
    """Return the size of each of these contents that a store in S3 holds.

    Raises:
        Unanswered: Use DVC's client instead.
    """
    listing = _Listing(place(remote, os.environ))
    try:
        return Questions(listing.contents).sizes(md5s)
    finally:
        listing.close()


def place(remote: Remote, environment: Mapping[str, str]) -> Place:
    """Return the location and credentials of a store.

    Args:
        remote: The store.
        environment: The environment's variables; `HOME` locates AWS settings.

    Raises:
        Unanswered: There are settings that only DVC's client understands.
    """
    match, options = _URL.fullmatch(remote.url), remote.options
    home = Path(environment.get("HOME") or "/nowhere")
    is_encrypted = not options.get("endpointurl", "").startswith("http:")
    is_plain = options.keys() <= _OPTIONS and _is_plain(environment, home, is_encrypted=is_encrypted)
    region = options.get("region") or environment.get("AWS_DEFAULT_REGION", "")
    if match is None or not is_plain:
        raise Unanswered
    keys, prefix = _keys(options, environment, home), f"{match['path']}/files/md5/".lstrip("/")
    if "endpointurl" in options:
        endpoint = options["endpointurl"].rstrip("/")
        return Place(endpoint, region or "us-east-1", f"{urlsplit(endpoint).path}/{match['bucket']}", prefix, keys)
    if "." in match["bucket"] or not re.fullmatch(r"(us|eu|ap|ca|sa|af|me|il|mx)-[a-z]+-\d", region):
        raise Unanswered
    return Place(f"https://{match['bucket']}.s3.{region}.amazonaws.com", region, "/", prefix, keys)


def _is_plain(environment: Mapping[str, str], home: Path, *, is_encrypted: bool) -> bool:
    """Whether no variable or file changes how a server is reached or the credentials."""
    known = _VARIABLES if is_encrypted else _VARIABLES | _OF_TRUST
    for name, value in environment.items():
        is_proxy = name.lower().endswith("_proxy") and name.lower() != "no_proxy"
        if value and (is_proxy or ((name.startswith(("AWS_", "BOTO")) or name in _OF_TRUST) and name not in known)):
            return False
    sections = _settings(home / ".aws/config")
    return all(options.keys() <= _PLAIN_SETTINGS for options in sections.values())


def _keys(options: Mapping[str, str], environment: Mapping[str, str], home: Path) -> Keys:
    for found, names in (
        (options, ("access_key_id", "secret_access_key", "session_token")),
        (environment, ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")),
        (
            _settings(home / ".aws/credentials").get("default", {}),
            ("aws_access_key_id", "aws_secret_access_key", "aws_session_token"),
        ),
    ):
        access, secret, token = (found.get(name, "") for name in names)
        if access and secret:
            return Keys(access, secret, token)
        if access or secret:
            break
    raise Unanswered


def _settings(path: Path) -> dict[str, dict[str, str]]:
    """Return the options of each section of an AWS settings file."""
    if not path.is_file():
        return {}
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    try:
        parser.read_string(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, Error):
        raise Unanswered from None
    return {section: dict(parser[section]) for section in parser.sections()}


class _Listing:
    """Lists the contents of one store, with a connection per thread."""

    def __init__(self, where: Place) -> None:
        self._place = where
        self._own = threading.local()
        self._open: list[_Connection] = []

    def close(self) -> None:
        for connection in self._open:
            connection.close()

    def contents(self, beginning: str) -> Sizes:
        """Return the sizes of the contents whose MD5 has a prefix.

        Raises:
            Unanswered: The server does not answer.
        """
        found: dict[str, int] = {}
        start = f"{beginning[:2]}/{beginning[2:]}" if len(beginning) > 1 else beginning
        question = {"list-type": "2", "max-keys": str(PAGE), "prefix": self._place.prefix + start}
        token: str | None = ""
        while token is not None:
            page = self._connection.get({**question, "continuation-token": token} if token else question)
            token = self._read(page, found)
        return found

    @property
    def _connection(self) -> _Connection:
        if not hasattr(self._own, "connection"):
            self._own.connection = _Connection(self._place)
            self._open.append(self._own.connection)
        connection: _Connection = self._own.connection
        return connection

    def _read(self, page: bytes, found: dict[str, int]) -> str | None:
        """Add the contents in a page of a listing, and return the token for the next page; None after the last."""
        from xml.etree import ElementTree as ET

        try:
            tree = ET.fromstring(page)  # noqa: S314 (expat bounds what an entity unpacks to)
        except ET.ParseError:
            raise Unanswered from None
        if _name(tree.tag) != "ListBucketResult":
            raise Unanswered
        said = {_name(each.tag): each.text or "" for each in tree if _name(each.tag) != "Contents"}
        for each in tree:
            if _name(each.tag) == "Contents":
                fields = {_name(field.tag): field.text or "" for field in each}
                md5 = fields.get("Key", "").removeprefix(self._place.prefix).replace("/", "", 1)
                if len(md5) == 32 and fields.get("Size", "").isdecimal():
                    found[md5] = int(fields["Size"])
        if said.get("IsTruncated") == "false":
            return None
        if said.get("IsTruncated") != "true" or not said.get("NextContinuationToken"):
            raise Unanswered
        return said["NextContinuationToken"]


class _Connection:
    """A connection to the server of a store."""

    def __init__(self, where: Place) -> None:
        from http.client import HTTPConnection, HTTPSConnection

        parts = urlsplit(where.endpoint)
        if parts.scheme not in ("http", "https") or parts.username or not parts.hostname:
            raise Unanswered
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        try:
            self._http = kind(parts.hostname, parts.port, timeout=_TIMEOUT)
        except (OSError, ValueError):
            raise Unanswered from None
        self._place, self._host = where, parts.netloc

    def close(self) -> None:
        self._http.close()

    def get(self, question: Mapping[str, str]) -> bytes:
        """Return the answer to a question.

        Raises:
            Unanswered: The server does not answer, or reports an error.
        """
        from http.client import HTTPException

        query = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in sorted(question.items()))
        target = quote(self._place.path, safe="/-_.~")
        try:
            headers = signed(self._place, self._host, target, query, datetime.now(UTC))
            self._http.request("GET", f"{target}?{query}", headers=headers)
            answer = self._http.getresponse()
            data = answer.read(_LARGEST)
        except (OSError, HTTPException, ValueError):
            raise Unanswered from None
        if answer.status != 200 or len(data) == _LARGEST:
            raise Unanswered
        return data


def signed(where: Place, host: str, path: str, query: str, now: datetime) -> dict[str, str]:
    """Return the headers of a GET request, signed for AWS (Signature Version 4).

    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

    Args:
        where: The server, its region and the keys.
        host: Its name and port.
        path: The quoted path.
        query: The quoted and sorted query.
        now: The time of the request.
    """
    day, moment = f"{now:%Y%m%d}", f"{now:%Y%m%dT%H%M%SZ}"
    headers = {"host": host, "x-amz-content-sha256": _NO_BODY, "x-amz-date": moment}
    if where.keys.token:
        headers["x-amz-security-token"] = where.keys.token
    names = ";".join(sorted(headers))
    lines = [f"{name}:{headers[name]}" for name in sorted(headers)]
    request = "\n".join(["GET", path, query, *lines, "", names, _NO_BODY])
    scope = f"{day}/{where.region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{where.keys.secret}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"Credential={where.keys.access}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": f"AWS4-HMAC-SHA256 {credential}"}


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~")


def _name(tag: str) -> str:
    """Return an element's name without its namespace, which not every server sends."""
    return tag.rpartition("}")[2]
