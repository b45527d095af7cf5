"""Repositories of other owners: those that git trusts are opened, and no others."""

import os
import subprocess
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.errors import RepoError


@pytest.fixture
def foreign(library: Path, tmp_path: Path) -> Path:
    """A data repo that belongs to somebody else."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a repo away")
    there = tmp_path / "theirs" / "data.git"
    there.parent.mkdir()
    subprocess.run(["cp", "-r", library, there], check=True)
    subprocess.run(["chown", "-R", "12345:12345", there], check=True)
    (tmp_path / "link").symlink_to(there.parent)
    return there


def git_trusts(repo: Path) -> bool:
    return not subprocess.run(["git", "-C", repo, "rev-parse"], capture_output=True, check=False).returncode


def opens(repo: Path) -> bool:
    try:
        return len(DataRepo(repo).list()) == 1
    except RepoError as error:
        assert "belongs to another user" in str(error), error  # noqa: PT017 (nothing else is expected)
        return False


@pytest.mark.parametrize("where", ["global", "environment"])
@pytest.mark.parametrize("form", ["{}", "{}/", "*", "{parent}/*", "{parent}", "{}x", "", "%(prefix)/{}", "{link}"])
@pytest.mark.parametrize("given", ["plain", "link"])
def test_it_is_opened_if_git_trusts_it(foreign, tmp_path, monkeypatch, hermetic, where, form, given):
    link = tmp_path / "link" / foreign.name
    value = form.format(foreign, parent=foreign.parent, link=link)
    if where == "global":
        subprocess.run(["git", "config", "--global", "safe.directory", value], check=True)
    else:
        for name, text in (("COUNT", "1"), ("KEY_0", "safe.directory"), ("VALUE_0", value)):
            monkeypatch.setenv(f"GIT_CONFIG_{name}", text)
    repo = foreign if given == "plain" else link
    trusted = git_trusts(repo)
    assert opens(repo) == trusted
    if form in ("{}", "*") and given == "plain":
        assert trusted
    if form in ("{}x", ""):
        assert not trusted


def test_what_is_trusted_can_be_written_to_and_taken_in(foreign, tmp_path, repo, states, record, monkeypatch):
    subprocess.run(["git", "config", "--global", "safe.directory", str(foreign)], check=True)
    assert main(["-C", str(repo), "import", str(foreign)]) == 0
    assert DataRepo(repo).list().to_json() == DataRepo(foreign).list().to_json()
    assert record(foreign, states[2]).status == "unchanged"


@pytest.mark.parametrize("kind", ["blob:none", "tree:0"])
def test_a_clone_without_contents_says_what_it_lacks(library, tmp_path, run, kind):
    clone = tmp_path / "mirror.git"
    run("git", "clone", "-q", "--mirror", f"--filter={kind}", f"file://{library}", clone)
    with pytest.raises(RepoError, match=r"is a partial clone .* fetch --refetch --no-filter") as caught:
        DataRepo(clone)
    command = str(caught.value).split("`")[1].split()
    run(*command)
    assert DataRepo(clone).list().to_json() == DataRepo(library).list().to_json()


@pytest.mark.parametrize("option", ["--object-format=sha256"])
def test_a_repository_of_another_kind_is_named_so(tmp_path, run, option):
    run("git", "init", "-q", "--bare", option, tmp_path / "other.git")
    with pytest.raises(RepoError, match=r"is not a data repo: .*a data repo uses SHA-1"):
        DataRepo(tmp_path / "other.git")
