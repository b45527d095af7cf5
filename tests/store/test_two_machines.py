"""Two data repos on two machines share one store in S3: one's withdrawals never remove data of the other."""

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import Sample, small
from blastgit.plumbing import refs
from blastgit.repository.init import init

pytestmark = pytest.mark.slow

DES_Z = "cutout_cdn/DES/DES_z.fits"
SPEC, REASON = f"2026dgt@0:{DES_Z}", "Taken from another field by mistake"


@pytest.fixture
def machines(tmp_path: Path, bucket: Any, proxy: Any, sample: Sample, record: Callable[..., Any]) -> tuple[Path, Path]:
    """The repos: the first was first to write to the store, and owns it."""
    found = tmp_path / "one/blast.git", tmp_path / "two/blast.git"
    for repo in found:
        repo.parent.mkdir()
        init(repo, store=bucket.url, options={"endpointurl": proxy.url}, simulated=True)
    record(found[0], sample)
    return found


def withdraw(repo: Path, *options: str) -> str:
    """Withdraw in another process, and return what it says."""
    words = [sys.executable, "-m", "blastgit", "-C", str(repo), "withdraw", SPEC, "--reason", REASON, *options]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def other(folder: Path, sample: Sample) -> tuple[Path, Path]:
    """Another transient one of whose images is, byte for byte, that of 2026dgt."""
    export, data = small("2026dix").write(folder)
    (data / "cutout_cdn/2026dix/DES/DES_z.fits").write_bytes(sample.files["cutout_cdn/2026dgt/DES/DES_z.fits"])
    return export, data


def test_who_cannot_be_asked_keeps_what_may_be_needed(machines, tmp_path, sample, bucket):
    one, two = machines
    DataRepo(two).record("2026dix", *other(tmp_path / "other", sample))
    before = bucket.contents()
    two.parent.rename(tmp_path / "elsewhere")  # one machine does not see the folders of the other
    assert "cannot be read here" in withdraw(one, "--now")
    assert bucket.contents().items() >= before.items()
    (tmp_path / "elsewhere").rename(two.parent)
    one.parent.rename(tmp_path / "elsewhere")
    assert DataRepo(two).verify().problems == []


def test_who_owns_nothing_writes_a_tombstone(machines, tmp_path, sample, record, bucket):
    one, two = machines
    record(two, sample)
    before = bucket.contents()
    one.parent.rename(tmp_path / "elsewhere")
    said = withdraw(two, "--now")
    assert "1 content is still there, and nothing was deleted" in said
    assert list(DataRepo(two).verify().withdrawn) == [SPEC]
    assert bucket.contents().items() >= before.items()
    (tmp_path / "elsewhere").rename(one.parent)
    assert DataRepo(one).verify().problems == []


def test_what_the_other_needs_stays_and_the_rest_goes(machines, tmp_path, sample, bucket):
    one, two = machines
    DataRepo(two).record("2026dix", *other(tmp_path / "other", sample))
    before = bucket.contents()
    assert "stays" in withdraw(one, "--now")
    assert bucket.contents().items() >= before.items()
    assert DataRepo(two).verify().problems == []


def test_what_is_published_at_that_moment_can_be_brought_back(machines, tmp_path, sample, monkeypatch):
    """No lock reaches from one machine to the other; so the quarantine keeps what the other has just come to need."""
    one, two = machines
    real, said = refs.sync_file_systems, list[str]()

    def sync(folders: Iterable[Path]) -> None:
        real(folders)
        monkeypatch.setattr(refs, "sync_file_systems", real)
        said.append(withdraw(one))

    monkeypatch.setattr(refs, "sync_file_systems", sync)
    assert DataRepo(two).record("2026dix", *other(tmp_path / "other", sample)).revision == 0
    assert len(said) == 1
    if not DataRepo(two).verify().is_sound:
        assert DataRepo(two).verify(repair=True).problems == []
    assert DataRepo(two).verify().problems == []
