"""Fixtures around a real S3 server; the conftest.py of each folder that needs them imports them."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.s3 import Bucket, Proxy, Server, proxy_before


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, hermetic: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def make_bucket(s3_server: Server, credentials: None) -> Callable[[], Bucket]:
    def make() -> Bucket:
        bucket = Bucket(s3_server.url, f"b{uuid.uuid4().hex}")
        bucket.client.create_bucket(Bucket=bucket.name)
        return bucket

    return make


@pytest.fixture
def own_server(credentials: None) -> Iterator[tuple[Server, Bucket]]:
    """A server that the test may stop, and a bucket in it."""
    server = Server()
    server.start()
    bucket = Bucket(server.url, "bucket")
    bucket.client.create_bucket(Bucket=bucket.name)
    yield server, bucket
    server.stop()


@pytest.fixture
def bucket(make_bucket: Callable[[], Bucket]) -> Bucket:
    return make_bucket()


@pytest.fixture
def proxy(s3_server: Server) -> Iterator[Proxy]:
    with proxy_before(s3_server) as proxy:
        yield proxy


class Waits:
    """Stands for `time.sleep`: remembers, and does not wait."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()
