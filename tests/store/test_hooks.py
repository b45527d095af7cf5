"""The hooks check a store in S3: a revision whose contents are missing or of a different size is rejected."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import refit
from blastgit.plumbing.process import git_environment
from blastgit.repository.hooks import install_hooks
from blastgit.repository.init import init

SPECS = ("refs/heads/2026dgt", "refs/tags/2026dgt/1")


@pytest.fixture
def clone(tmp_path: Path, bucket: Any, proxy: Any, sample: Any, record: Any, run: Any) -> Path:
    """A bare clone that has revision 1, and a repo `repo` that has only revision 0; both name the bucket."""
    init(tmp_path / "repo", store=bucket.url, options={"endpointurl": proxy.url}, simulated=True)
    record(tmp_path / "repo", sample)
    run("git", "clone", "--quiet", "--mirror", tmp_path / "repo", tmp_path / "clone")
    record(tmp_path / "clone", refit(sample, seed=1))
    proxy.requests.clear()
    return tmp_path / "clone"


def push(clone: Path) -> str:
    """Push revision 1; return "" if it was taken in, else what was said."""
    command = ["git", f"--git-dir={clone}", "push", "--quiet", "--atomic", f"file://{clone.parent}/repo", *SPECS]
    done = subprocess.run(command, capture_output=True, text=True, env=git_environment(), check=False)
    return done.stderr if done.returncode else ""


def key_of(clone: Path, bucket: Any) -> str:
    """Return where the content of a file of revision 1 is in the bucket."""
    (path, *_) = sorted(each for each in DataRepo(clone).show("2026dgt@1:files").value if each.endswith(".npz"))
    md5 = DataRepo(clone).show(f"2026dgt@1:{path}").value["md5"]
    return f"data/files/md5/{md5[:2]}/{md5[2:]}"


@pytest.mark.parametrize("hook", ["pre-receive", "pre-push"])
def test_presence_and_size_are_asked_of_the_bucket(clone: Path, bucket: Any, hook: str) -> None:
    if hook == "pre-push":
        install_hooks(clone, client=True)
        (clone.parent / "repo/hooks/pre-receive").unlink()
    key = key_of(clone, bucket)
    whole = bucket.body(key)
    bucket.client.delete_object(Bucket=bucket.name, Key=key)
    assert "lacks the content of 2026dgt@1:sed_output/" in push(clone)
    bucket.write(key, whole[:-1])
    assert f"should have {len(whole):,} bytes, and the store {bucket.url} holds {len(whole) - 1:,}" in push(clone)
    bucket.write(key, whole)
    assert push(clone) == ""
    assert DataRepo(clone.parent / "repo").verify().problems == []


def test_a_push_costs_two_questions_where_the_store_is_small(clone: Path, proxy: Any) -> None:
    assert push(clone) == ""
    assert proxy.counts == {"LIST": 2}, "one tells how large it is, the other what is there"


def test_a_bucket_that_cannot_be_asked_ends_the_push(clone: Path, proxy: Any) -> None:
    proxy.trouble = lambda request: 403
    assert "denies this: ask its owner for access" in push(clone)
    proxy.trouble = lambda request: None
    assert push(clone) == ""
