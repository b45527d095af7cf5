"""A pushed release is accepted once, from authorised users, and only if its content is correct."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import small
from blastgit.plumbing.process import git_environment

pytestmark = pytest.mark.slow

FILE = "cutout_cdn/DES/DES_z.fits"
RELEASE = "refs/tags/release/nearby/1"


@pytest.fixture
def clone(stocked: Path, tmp_path: Path) -> Path:
    """A bare clone of that repo in which nearby is frozen, to be pushed from."""
    subprocess.run(["git", "clone", "-q", "--mirror", stocked, tmp_path / "clone"], check=True, env=git_environment())
    DataRepo(tmp_path / "clone").releases.freeze("nearby", "1")
    return tmp_path / "clone"


@pytest.fixture
def push(clone: Path, stocked: Path) -> Callable[..., str]:
    """Push with plain git; return "" if it was taken in, else what the other side says."""

    def call(*specs: str) -> str:
        command = ["git", f"--git-dir={clone}", "push", "--quiet", f"file://{stocked}", *specs]
        done = subprocess.run(command, capture_output=True, text=True, env=git_environment(), check=False)
        assert "Traceback" not in done.stderr
        return done.stderr if done.returncode else ""

    return call


def test_a_true_release_is_taken_in_once(clone: Path, stocked: Path, push: Callable[..., str]) -> None:
    assert push(RELEASE) == ""
    assert DataRepo(stocked).releases.verify("release/nearby/1").is_sound
    git = ["git", f"--git-dir={clone}"]
    subprocess.run(
        [*git, "tag", "-f", "-a", "-m", "x", "release/nearby/1", f"{RELEASE}^{{}}"], check=True, capture_output=True
    )
    assert "exists and never moves" in push(f"+{RELEASE}")
    assert "may not be deleted" in push(f":{RELEASE}")


def test_a_release_comes_with_the_revisions_that_it_freezes(
    clone: Path, stocked: Path, record: Callable[..., Any], push: Callable[..., str]
) -> None:
    repo = DataRepo(clone)
    record(clone, small("2026new"))
    repo.collections.create("more", "TAGGED", "More")
    repo.collections.add("more", ["2026new@0"], "New")
    repo.releases.freeze("more", "1")
    alone = push("refs/tags/release/more/1")
    assert "its tag 2026new/0 is gone" in alone or "not here" in alone
    revision = "refs/heads/2026new", "refs/tags/2026new/0"
    assert "push main first" in push(*revision, "refs/tags/release/more/1")
    assert push("refs/heads/main", *revision, "refs/tags/release/more/1") == ""
    assert DataRepo(stocked).releases.verify("release/more/1").is_sound


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"manifest.sha256": b""}, "the manifest says nothing"),
        ({"2026dgt@1/2026dgt.json": b"{}"}, "was changed"),
        ({"more.txt": b"x"}, "is not part of it"),
        ({".gitignore": b"*\n"}, "is not the one that blastgit ships"),
        ({"release.yaml": b"\xff"}, "release.yaml of release/nearby/1 cannot be read"),
        ({"release.yaml": None}, "has no release.yaml"),
    ],
)
def test_a_release_that_is_not_true_is_denied(
    clone: Path,
    stocked: Path,
    forge: Callable[..., None],
    push: Callable[..., str],
    files: dict[str, bytes],
    words: str,
) -> None:
    forge(clone, "release/nearby/1", files)
    assert words in push(RELEASE)
    assert DataRepo(stocked).releases.list() == []


@pytest.mark.parametrize("name", ["release/nearby/1/2", "release/NEARBY/1", "release/other/1"])
def test_a_release_under_another_name_is_denied(
    clone: Path, stocked: Path, push: Callable[..., str], name: str
) -> None:
    assert push(RELEASE) == ""
    git = ["git", f"--git-dir={clone}"]
    subprocess.run([*git, "tag", "-d", "release/nearby/1"], check=True, capture_output=True)
    subprocess.run([*git, "tag", "-a", "-m", "x", name, "main"], check=True, capture_output=True)
    assert push(f"refs/tags/{name}")
    assert [str(each) for each in DataRepo(stocked).releases.list()] == ["release/nearby/1"]


def test_a_light_tag_is_denied(clone: Path, push: Callable[..., str]) -> None:
    subprocess.run(["git", f"--git-dir={clone}", "update-ref", RELEASE, f"{RELEASE}^{{}}"], check=True)
    assert "should be an annotated tag" in push(RELEASE)


def test_who_is_no_curator_is_denied(
    clone: Path, stocked: Path, settle: Callable[[Path, bytes], None], push: Callable[..., str]
) -> None:
    settle(stocked, b"policy:\n  roles:\n    admin: [somebody-else]\n    curator: [another]\n")
    assert "does not have the role 'curator' for nearby" in push(RELEASE)
