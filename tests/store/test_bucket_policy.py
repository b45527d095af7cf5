"""The sample policy of the operators' guide, enforced by an S3 server: readers read, writers add, nobody deletes."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import refit
from blastgit.errors import StoreError
from blastgit.plumbing.process import git_environment
from blastgit.repository.init import init

pytestmark = pytest.mark.slow

GUIDE = Path(__file__).resolve().parents[2] / "docs/operators.md"


def policy_of(bucket: Any) -> str:
    """Return the guide's policy, about another bucket."""
    (text,) = re.findall(r"^```json\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    assert {each["Effect"] for each in json.loads(text)["Statement"]} == {"Allow", "Deny"}
    return text.replace("arn:aws:s3:::blast", f"arn:aws:s3:::{bucket.name}")


@pytest.fixture
def repo(tmp_path: Path, bucket: Any, sample: Any, record: Any) -> Path:
    """A repo with revision 0, whose bucket is under the policy from then on."""
    init(tmp_path / "repo", store=bucket.url, options={"endpointurl": bucket.endpoint}, simulated=True)
    record(tmp_path / "repo", sample)
    bucket.client.put_bucket_policy(Bucket=bucket.name, Policy=policy_of(bucket))
    return tmp_path / "repo"


def collect(repo: Path, tmp_path: Path, run: Any) -> int:
    """Run `dvc gc` in a clone of revision 0, as whoever has not read the guide might; return its exit code."""
    run("git", "clone", "--quiet", "--branch", "2026dgt/0", "--single-branch", repo, tmp_path / "clone")
    program = str(Path(sys.executable).with_name("dvc"))
    command = [program, "gc", "--workspace", "--cloud", "--force"]
    return subprocess.run(
        command, cwd=tmp_path / "clone", env=git_environment(), capture_output=True, check=False
    ).returncode


def test_writers_add_and_nobody_deletes(repo: Path, bucket: Any, sample: Any, record: Any, run: Any, tmp_path: Path):
    assert record(repo, refit(sample, seed=1)).revision == 1
    before = bucket.contents()
    collect(repo, tmp_path, run)  # DVC may say nothing of what it was denied
    assert bucket.contents() == before
    assert DataRepo(repo).verify().problems == []
    with pytest.raises(StoreError, match="denies this: ask its owner"):
        DataRepo(repo).withdraw("2026dgt@1:sed_output/2026dgt_global_chain.npz", "A mistake")
    assert bucket.contents().keys() >= before.keys()


def test_without_the_policy_everybodys_data_go(
    repo: Path, bucket: Any, sample: Any, record: Any, run: Any, tmp_path: Path
):
    """What the policy is for; and the test before this one can fail."""
    record(repo, refit(sample, seed=1))
    bucket.client.delete_bucket_policy(Bucket=bucket.name)
    assert collect(repo, tmp_path, run) == 0
    assert {problem.kind for problem in DataRepo(repo).verify().problems} == {"missing"}


def test_readers_need_no_account(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Any):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    own = "[core]\n  remote = store\n['remote \"store\"']\n  allow_anonymous_login = true\n"
    (repo / "blastgit/store.config").write_text(own)
    assert len(DataRepo(repo).get("2026dgt@0", tmp_path / "out").written) == len(sample.files) + 1
    assert DataRepo(repo).verify().problems == []
