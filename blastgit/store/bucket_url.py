"""The location and credentials of a bucket."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from blastgit.errors import UsageError


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in a bucket.

    For None, botocore uses the environment (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, …), `~/.aws`, and the metadata of
    the machine that it runs on.

    Attributes:
        bucket: The bucket.
        folder: The prefix of all keys, without slashes at the ends; may be empty.
        endpoint: The URL of the server.
        region: Its region.
        access_key: The access key.
        secret_key: The secret key.
    """

    bucket: str
    folder: str = ""
    endpoint: str | None = None
    region: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.folder}".rstrip("/")

    def key(self, path: str) -> str:
        """Return the key of the object at `path` in the folder."""
        return f"{self.folder}/{path}" if self.folder else path


def place_of_url(url: str, options: Mapping[str, str] = MappingProxyType({})) -> Place:
    """Parse `s3://BUCKET/FOLDER`.

    Args:
        url: The URL.
        options: `endpointurl` and `region`, named as in DVC; by default from the environment. Credentials are not
            allowed here.

    Raises:
        UsageError: It is not such a URL, or an option is unknown.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment or "@" in parts.netloc:
        raise UsageError(f"{url!r} is not a place in S3: write s3://BUCKET/FOLDER")
    if unknown := sorted(options.keys() - {"endpointurl", "region"}):
        raise UsageError(f"a bucket has no option {unknown[0]!r}: give endpointurl=… or region=…")
    endpoint = options.get("endpointurl") or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return Place(parts.netloc, parts.path.strip("/"), endpoint, options.get("region"))
