"""A data repo with a few transients and runs, for the tests of collections."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.api.collections import Collections
from blastgit.demo import refit, small
from blastgit.plumbing.process import git_environment
from blastgit.repository.init import init

FILE = "cutout_cdn/DES/DES_z.fits"


@pytest.fixture(scope="session")
def _stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2026dgt has revisions 0 (in night-1) and 1 (in night-2), 2026abc 0 (in night-1), 2026xyz 0 (in no run)."""
    folder = tmp_path_factory.mktemp("stock")
    init(folder / "repo", simulated=True)
    repo = DataRepo(folder / "repo")
    for name, seed, run in (
        ("2026dgt", 0, "night-1"), ("2026dgt", 1, "night-2"), ("2026abc", 0, "night-1"), ("2026xyz", 0, None),
    ):  # fmt: skip
        sample = refit(small(name), seed=seed) if seed else small(name)
        export, data = sample.write(folder / f"{name}-{seed}")
        repo.record(name, export, data, run=run)
    return folder / "repo"


@pytest.fixture
def stocked(_stock: Path, tmp_path: Path) -> Path:
    """A copy of that repo; its contents stay where they are."""
    return Path(shutil.copytree(_stock, tmp_path / "stocked"))


@pytest.fixture
def collections(stocked: Path) -> Collections:
    """The collections of that repo."""
    return DataRepo(stocked).collections


@pytest.fixture
def settle(stocked: Path) -> Callable[[str], Collections]:
    """Put more into blastgit.yaml, and open the collections anew."""

    def call(text: str) -> Collections:
        commit_main(stocked, {"blastgit.yaml": f"format: 1\nkind: simulated\n{text}".encode()})
        return DataRepo(stocked).collections

    return call


@pytest.fixture
def me() -> str:
    """Who runs the tests, as the policy would call them."""
    return pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def by_hand() -> Callable[..., str]:
    """Commit files to main of a repository, asking no one."""
    return commit_main


def git(repo: Path, *words: str, stdin: bytes = b"") -> str:
    command = ["git", f"--git-dir={repo}", *words]
    done = subprocess.run(command, input=stdin, capture_output=True, check=True, env=git_environment())
    return done.stdout.decode().strip()


def commit_main(repo: Path, files: dict[str, bytes | None], message: str = "By hand") -> str:
    index = {"GIT_INDEX_FILE": str(repo / "index-by-hand")}
    environment = {**git_environment(), **index}

    def run(*words: str, stdin: bytes = b"") -> str:
        command = ["git", f"--git-dir={repo}", *words]
        done = subprocess.run(command, input=stdin, capture_output=True, check=True, env=environment)
        return done.stdout.decode().strip()

    run("read-tree", "main")
    for path, data in files.items():
        if data is None:
            run("update-index", "--index-info", stdin=f"0 {'0' * 40}\t{path}\n".encode())
        else:
            oid = run("hash-object", "-w", "--stdin", stdin=data)
            run("update-index", "--add", "--cacheinfo", f"100644,{oid},{path}")
    commit = run("commit-tree", run("write-tree"), "-p", "main", "-m", message)
    run("update-ref", "refs/heads/main", commit)
    return commit
