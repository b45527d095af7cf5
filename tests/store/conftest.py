"""A real S3 server, a proxy before it, and a store in it."""

from pathlib import Path

import pytest

from benchmarks.s3 import Bucket, Proxy
from blastgit.store.config import Remote
from blastgit.store.dvc import DvcStore
from blastgit.store.failures import Patience
from tests.s3_fixtures import (  # noqa: F401 (fixtures)
    Waits,
    bucket,
    credentials,
    make_bucket,
    own_server,
    proxy,
    s3_server,
    waits,
)


@pytest.fixture
def store(bucket: Bucket, proxy: Proxy, tmp_path: Path, waits: Waits) -> DvcStore:  # noqa: F811 (fixtures)
    """The bucket as a store, seen through the proxy."""
    remote = Remote("store", bucket.url, {"endpointurl": proxy.url})
    return DvcStore(remote, tmp_path / "staging", Patience((0.5, 2.0, 8.0), waits))
