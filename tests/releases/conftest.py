"""A data repo with a few transients and a collection of each type, for the tests of releases."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.demo import refit, small
from blastgit.plumbing.process import git_environment
from blastgit.repository.init import init

FILE = "cutout_cdn/DES/DES_z.fits"
CITATION = b"""
title: ""
citation:
  title: Hosts & friends
  creators:
    - {family: Doe, given: Jane, orcid: 0000-0002-1825-0097, affiliation: Example University}
    - Blast Collaboration
  publisher: Example Archive
  license: CC-BY-4.0
  url: https://data.example.org/blast
  description: Host galaxies.
  keywords: [supernovae]
"""


def git(repo: Path, *words: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
    command = ["git", f"--git-dir={repo}", *words]
    done = subprocess.run(command, input=stdin, capture_output=True, check=True, env=git_environment(env))
    return done.stdout.decode().strip()


def edit_tree(repo: Path, start: str, files: Mapping[str, bytes | None]) -> str:
    """Write a tree with some files changed, asking no one; None takes one out."""
    index = {"GIT_INDEX_FILE": str(repo / "index-by-hand")}
    git(repo, "read-tree", start, env=index)
    for path, data in files.items():
        oid = "0" * 40 if data is None else git(repo, "hash-object", "-w", "--stdin", stdin=data)
        row = f"{'0' if data is None else '100644'} {oid}\t{path}\n"
        git(repo, "update-index", "--add", "--index-info", stdin=row.encode(), env=index)
    return git(repo, "write-tree", env=index)


@pytest.fixture
def settle() -> Callable[[Path, bytes], None]:
    """Put more into blastgit.yaml of a repo."""

    def call(repo: Path, text: bytes) -> None:
        tree = edit_tree(repo, "main", {"blastgit.yaml": b"format: 1\nkind: simulated\n" + text})
        git(repo, "update-ref", "refs/heads/main", git(repo, "commit-tree", tree, "-p", "main", "-m", "Settings"))

    return call


@pytest.fixture
def forge() -> Callable[..., None]:
    """Change what the tag of a release holds, or its commit's message, and move the tag there by force."""

    def call(repo: Path, release: str, files: Mapping[str, bytes | None], message: str = "") -> None:
        text = message or git(repo, "log", "-1", "--format=%B", release)
        commit = git(repo, "commit-tree", edit_tree(repo, release, files), stdin=text.encode())
        git(repo, "tag", "--force", "--annotate", "--message=x", release, commit)

    return call


@pytest.fixture(scope="session")
def _stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stock")
    init(folder / "repo", simulated=True)
    repo = DataRepo(folder / "repo")
    collections = repo.collections
    collections.create("night-1", "RUN", "A night")
    collections.create("night-2", "RUN", "Another")
    for name, seed, run in (("2026dgt", 0, "night-1"), ("2026dgt", 1, "night-2"), ("2026abc", 0, "night-1")):
        sample = refit(small(name), seed=seed) if seed else small(name)
        export, data = sample.write(folder / f"{name}-{seed}")
        repo.record(name, export, data, run=run)
    collections.create("nearby", "TAGGED", "The sample", about="Within 100 Mpc")
    collections.add("nearby", ["2026dgt@1", f"2026abc@0:{FILE}"], "As submitted")
    collections.chain("best", ["night-2", "night-1"], "Latest first")
    collections.create("zero-points", "CALIBRATION", "Of the survey")
    collections.certify("zero-points", [f"2026dgt@0:{FILE}"], "Good", None, "2026-05-01T00:00:00Z")
    collections.certify("zero-points", [f"2026dgt@1:{FILE}"], "Better", "2026-05-01T00:00:00Z", None)
    return folder / "repo"


@pytest.fixture
def stocked(_stock: Path, tmp_path: Path) -> Path:
    """A copy of that repo, with contents of its own and all that a citation needs.

    2026dgt has revisions 0 (in night-1) and 1 (in night-2), 2026abc 0 (in night-1); nearby is TAGGED, best CHAINED,
    zero-points CALIBRATION.
    """
    repo = Path(shutil.copytree(_stock, tmp_path / "stocked"))
    config = edit_tree(repo, "main", {
        "blastgit.yaml": b"format: 1\nkind: simulated\n" + CITATION,
        ".dvc/config": git(repo, "show", "main:.dvc/config").replace(str(_stock), str(repo)).encode() + b"\n",
    })  # fmt: skip
    git(repo, "update-ref", "refs/heads/main", git(repo, "commit-tree", config, "-p", "main", "-m", "Settings"))
    return repo


@pytest.fixture
def frozen(stocked: Path) -> Path:
    """The same with the release nearby/1."""
    DataRepo(stocked).releases.freeze("nearby", "1")
    return stocked
