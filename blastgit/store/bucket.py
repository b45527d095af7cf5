"""An S3 bucket whose objects are the files of datasets.

It is read with botocore, which DVC's S3 plugin installs in a compatible version.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, TypeVar

from blastgit.errors import InvalidFiles, StoreError
from blastgit.plumbing.extras import not_installed
from blastgit.store.bucket_url import Place
from blastgit.store.failures import Patience, explain, http_status, is_missing_bucket, is_transient
from blastgit.store.hashing import CHUNK
from blastgit.store.source import Origin

T = TypeVar("T")

_MD5 = re.compile(r"[0-9a-f]{32}")
_ANSWER_TIMES = {"connect_timeout": 5, "read_timeout": 30}  # seconds
_GONE, _CHANGED = 404, 412


class Bucket:
    """A folder in a bucket; thread-safe."""

    def __init__(self, place: Place, patience: Patience | None = None) -> None:
        """Prepare to read, without contacting the server.

        Args:
            place: Its location and credentials.
            patience: How often and how slowly to try again.
        """
        self.place = place
        self.patience = patience or Patience()

    def __str__(self) -> str:
        return str(self.place)

    def objects(self, beginning: str) -> Iterator[BucketObject]:
        """Yield the objects of the folder whose path has a prefix, sorted, with a request per thousand objects.

        Folder markers, which some programs create, are left out.

        Raises:
            StoreError: The bucket denies access, does not exist, or fails.
        """
        for page in self._pages(Prefix=self.place.key(beginning)):
            for entry in page.get("Contents", []):
                if not entry["Key"].endswith("/"):
                    yield BucketObject(self, entry["Key"], entry["Size"], entry["ETag"].strip('"'))

    def entries(self) -> list[str]:
        """Return the sorted names of the direct entries of the folder, those of folders with a trailing slash.

        Raises:
            StoreError: The bucket denies access, does not exist, or fails.
        """
        start, found = self.place.key(""), []
        for page in self._pages(Prefix=start, Delimiter="/"):
            found += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
            found += [entry["Key"] for entry in page.get("Contents", [])]
        return sorted(key.removeprefix(start) for key in found if key != start)

    def _pages(self, **where: str) -> Iterator[Any]:
        token: dict[str, str] | None = {}
        while token is not None:
            page = self.ask(partial(self._client.list_objects_v2, Bucket=self.place.bucket, **where, **token))
            yield page
            token = {"ContinuationToken": page["NextContinuationToken"]} if page["IsTruncated"] else None

    def open(self, key: str, etag: str, start: int) -> Any:
        """Return a stream of an object's bytes from `start` on, if it still has that ETag."""
        part = {"Range": f"bytes={start}-"} if start else {}
        return self._client.get_object(Bucket=self.place.bucket, Key=key, IfMatch=f'"{etag}"', **part)["Body"]

    def ask(self, question: Callable[[], T]) -> T:
        """Return the server's answer, retrying transient failures.

        Raises:
            StoreError: The request failed.
        """
        try:
            return self.patience.call(question)
        except Exception as error:  # noqa: BLE001 (whatever botocore raises)
            raise self.failure(error) from None

    def failure(self, error: Exception) -> StoreError:
        """Return the error to raise when the bucket fails."""
        return explain(str(self), error, what="the bucket", settings="the settings of S3 in your environment")

    @property
    def _client(self) -> Any:
        return _client(self.place, os.getpid())


@dataclass(frozen=True, slots=True)
class BucketObject:
    """An object of a bucket as of its listing; a `Source`.

    Attributes:
        bucket: The bucket.
        key: Its key.
        size: Bytes.
        etag: Its ETag, without quotes.
    """

    bucket: Bucket
    key: str
    size: int
    etag: str

    def __str__(self) -> str:
        return f"s3://{self.bucket.place.bucket}/{self.key}"

    @property
    def path_below(self) -> str:
        """Its path below the bucket's folder."""
        return self.key.removeprefix(self.bucket.place.key(""))

    @property
    def md5(self) -> str | None:
        """The MD5 from the ETag; None for an object uploaded in several parts.

        With some kinds of encryption an ETag looks like an MD5 but is not one; it then matches nothing.
        """
        return self.etag if _MD5.fullmatch(self.etag) else None

    @property
    def path(self) -> None:
        """Always None: it has to be fetched."""

    @property
    def origin(self) -> Origin:
        """The object, for an object store to copy from."""
        return Origin(self.bucket.place.bucket, self.key, self.etag)

    def read(self) -> Iterator[bytes]:
        """Yield its bytes, resuming if the connection breaks off.

        Raises:
            InvalidFiles: It is empty, has changed since it was listed, or is gone.
            StoreError: The bucket fails.
        """
        if self.size == 0:
            raise InvalidFiles(f"{self} is empty: was its writer interrupted?")
        waits = iter(self.bucket.patience.waits)
        done = 0
        while done < self.size:
            try:
                stream = self.bucket.open(self.key, self.etag, done)
                while chunk := stream.read(CHUNK):
                    done += len(chunk)
                    yield chunk
                if done < self.size:
                    raise ConnectionError(f"only {done:,} of {self.size:,} bytes arrived")
            except Exception as error:  # noqa: BLE001 (whatever botocore raises)
                self._give_up_or_wait(error, next(waits, None))
        if done != self.size:
            raise InvalidFiles(f"{self} has {done:,} bytes, but was listed with {self.size:,}")

    def _give_up_or_wait(self, error: Exception, wait: float | None) -> None:
        status = http_status(error)
        if status == _CHANGED or (status == _GONE and not is_missing_bucket(error)):
            happened = "changed" if status == _CHANGED else "was deleted"
            raise InvalidFiles(f"{self} {happened} while it was read: is the workflow still running?") from None
        if wait is None or not is_transient(error):
            raise self.bucket.failure(error) from None
        self.bucket.patience.sleep(wait)


@lru_cache(maxsize=8)
def _client(place: Place, process: int) -> Any:
    """Return the client of a place, one per process, since forks must not share a connection."""
    del process
    try:
        from botocore.config import Config
        from botocore.session import get_session
    except ImportError:
        raise not_installed("reading a bucket needs", "botocore", "s3") from None
    style = "path" if place.endpoint else "auto"  # only Amazon has a host name for each bucket
    try:
        return get_session().create_client(
            "s3",
            endpoint_url=place.endpoint,
            region_name=place.region or None,
            aws_access_key_id=place.access_key,
            aws_secret_access_key=place.secret_key,
            config=Config(
                **_ANSWER_TIMES,
                retries={"total_max_attempts": 1},
                s3={"addressing_style": style},
                max_pool_connections=16,
            ),
        )
    except Exception as error:  # noqa: BLE001 (wrong settings raise anything)
        raise Bucket(place).failure(error) from None
