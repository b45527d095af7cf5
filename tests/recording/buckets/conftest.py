"""A bucket in the layout of Blast, behind a proxy that counts requests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import s3
from blastgit.demo import Sample
from blastgit.repository.init import init
from blastgit.store.bucket import Bucket
from blastgit.store.bucket_url import Place
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

FOLDER = "apps/blast/processed-transient-data/data"


@pytest.fixture
def put(bucket: s3.Bucket) -> Callable[[Sample], None]:  # noqa: F811 (fixtures)
    """Bring a sample's files to where Blast's workflow does."""

    def call(sample: Sample) -> None:
        for path, content in sample.files.items():
            bucket.write(f"{FOLDER}/{path}", content)

    return call


@pytest.fixture
def blast_bucket(bucket: s3.Bucket, proxy: s3.Proxy, waits: Waits) -> Bucket:  # noqa: F811 (fixtures)
    """Blast's bucket, seen through the proxy."""
    return Bucket(Place(bucket.name, FOLDER, proxy.url), Patience((0.5, 2.0, 8.0), waits))


@pytest.fixture
def s3_repo(tmp_path: Path, bucket: s3.Bucket, proxy: s3.Proxy) -> Path:  # noqa: F811 (fixtures)
    """A data repo whose store is in the same bucket."""
    init(tmp_path / "s3-repo", store=f"s3://{bucket.name}/store", options={"endpointurl": proxy.url}, simulated=True)
    return tmp_path / "s3-repo"
