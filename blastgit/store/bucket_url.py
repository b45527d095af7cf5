"""Where a bucket is, and what opens it."""

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

    What is None is up to botocore: it looks into the environment (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, …), into
    `~/.aws`, and asks the machine that it runs on.

    Attributes:
        bucket: The bucket.
        folder: What all keys begin with, without a slash at either end; it may be empty.
        endpoint: The URL of the server.
        region: Its region.
        access_key: Who asks.
        secret_key: What proves it.
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
        """Return the key of what lies at `path` in the folder."""
        return f"{self.folder}/{path}" if self.folder else path


def place_of_url(url: str, options: Mapping[str, str] = MappingProxyType({})) -> Place:
    """Return the place that `s3://BUCKET/FOLDER` means.

    Args:
        url: The URL.
        options: What stands beside it: `endpointurl` and `region`, as DVC calls them; else the environment is asked.
            Credentials have no place there.

    Raises:
        UsageError: It means none.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment or "@" in parts.netloc:
        raise UsageError(f"{url!r} is not a place in S3: write s3://BUCKET/FOLDER")
    if unknown := sorted(options.keys() - {"endpointurl", "region"}):
        raise UsageError(f"a bucket has no option {unknown[0]!r}: give endpointurl=… or region=…")
    endpoint = options.get("endpointurl") or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    return Place(parts.netloc, parts.path.strip("/"), endpoint, options.get("region"))
