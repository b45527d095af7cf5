"""Care of a store that is not a folder: contents are set aside and brought back in S3 too."""

from datetime import timedelta
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.errors import StoreError
from blastgit.repository.init import init
from blastgit.store.config import Remote
from blastgit.store.dvc import DvcStore
from blastgit.store.failures import Patience
from blastgit.store.hashing import copy_hashing
from blastgit.store.remote import RemoteFolder

DES_Z = "cutout_cdn/DES/DES_z.fits"


@pytest.fixture
def s3_repo(tmp_path, bucket, proxy, sample, record) -> Path:
    init(tmp_path / "repo", store=bucket.url, options={"endpointurl": proxy.url}, simulated=True)
    record(tmp_path / "repo", sample)
    return tmp_path / "repo"


def bring(store: DvcStore, folder: Path) -> str:
    """Bring a content that nothing needs, and return its name."""
    (folder / "left-over").write_bytes(b"left over")
    sums = copy_hashing(folder / "left-over", folder / "staged")
    store.put(folder / "staged", sums)
    return sums.md5


@pytest.fixture
def left_over(store, tmp_path) -> str:
    return bring(store, tmp_path)


def test_gc_and_back(s3_repo, store, left_over):
    no_time = timedelta(0)
    assert DataRepo(s3_repo).gc(grace=no_time).set_aside == [left_over]
    assert DataRepo(s3_repo).gc(delete=True).young == 1
    assert DataRepo(s3_repo).gc(delete=True, grace=no_time).set_aside == [left_over]
    assert store.missing([left_over])
    assert DataRepo(s3_repo).gc().waiting == 1
    assert DataRepo(s3_repo).gc(restore=True).restored == [left_over]
    assert not store.missing([left_over])
    assert DataRepo(s3_repo).verify().problems == []


def test_withdraw_and_repair(s3_repo, store, tmp_path):
    DataRepo(s3_repo).get("2026dgt@0", tmp_path / "out")
    md5 = DataRepo(s3_repo).show(f"2026dgt@0:{DES_Z}").value["md5"]
    cache = tmp_path / "cache/files/md5" / md5[:2]
    cache.mkdir(parents=True)
    (cache / md5[2:]).write_bytes((tmp_path / "out" / DES_Z).read_bytes())
    assert store.set_aside(md5, damaged=True)
    assert not DataRepo(s3_repo).verify().is_sound
    assert DataRepo(s3_repo).verify(repair=True, sources=[str(tmp_path / "cache")]).is_sound
    assert DataRepo(s3_repo).withdraw(f"2026dgt@0:{DES_Z}", "licence").set_aside == [md5]
    assert DataRepo(s3_repo).withdraw(f"2026dgt@0:{DES_Z}", "licence", now=True).removed == [md5]
    report = DataRepo(s3_repo).verify()
    assert (report.problems, list(report.withdrawn)) == ([], [f"2026dgt@0:{DES_Z}"])


@pytest.mark.parametrize(("days", "uploads"), [(3, 0), (30, 1)])
def test_a_writer_brings_anew_what_is_so_old_that_gc_might_take_it(
    store, left_over, tmp_path, monkeypatch, days, uploads
):
    sizes, upload, brought = RemoteFolder.sizes, RemoteFolder.upload, []

    def long_ago(self: RemoteFolder, md5s):
        found = sizes(self, md5s)
        self.changed = {md5: when - days * 86400 for md5, when in self.changed.items()}
        return found

    monkeypatch.setattr(RemoteFolder, "sizes", long_ago)
    monkeypatch.setattr(RemoteFolder, "upload", lambda *args, **more: brought.append(args) or upload(*args, **more))
    assert bring(store, tmp_path) == left_over
    assert len(brought) == uploads


def test_a_protocol_without_listings_says_so(tmp_path):
    store = DvcStore(Remote("store", "http://127.0.0.1:9/x"), tmp_path, Patience(()))
    with pytest.raises(StoreError, match="blastgit cannot list contents in the store http"):
        store.contents()
    assert list(store.quarantined()) == []
