"""Personal lines pushed with plain git: the hook applies the same rules as the library."""

import subprocess

import pytest

from blastgit import DataRepo
from blastgit.plumbing.process import git_environment

pytestmark = pytest.mark.slow


def git(*words):
    return subprocess.run(["git", *words], capture_output=True, text=True, check=False, env=git_environment())


@pytest.fixture
def clone(shelf, tmp_path):
    """A full clone in which anything can be recorded."""
    assert git("clone", "--quiet", "--mirror", shelf, tmp_path / "clone.git").returncode == 0
    return tmp_path / "clone.git"


@pytest.fixture
def push(clone, shelf):
    """Push refs of the clone; returns "" or what the other side says."""

    def call(*refs, atomic=True):
        words = ["push", "--quiet", *(["--atomic"] if atomic else []), f"file://{shelf}", *refs]
        done = git("--git-dir", clone, *words)
        return done.stderr if done.returncode else ""

    return call


def line_of(user, *numbers):
    return [f"refs/heads/u/{user}/2026dgt", *(f"refs/tags/u/{user}/2026dgt/{n}" for n in numbers)]


def test_ones_own_is_taken_in(clone, shelf, push, tries, record_own, me):
    record_own(clone, tries[0], fork="2026dgt@0")
    record_own(clone, tries[1])
    assert "push its tag with it" in push(*line_of(me, 0))
    assert push(*line_of(me, 0, 1)) == ""
    repo = DataRepo(shelf)
    assert repo.verify().problems == []
    assert str(repo.personal.origin(f"u/{me}/2026dgt")) == "2026dgt@0"
    record_own(clone, tries[2])
    assert push(*line_of(me, 2)) == ""
    assert repo.verify().revisions == 5


def test_somebody_elses_is_not(clone, shelf, push, tries, record_own, monkeypatch):
    monkeypatch.setenv("GL_USER", "alice")
    record_own(clone, tries[0], user="alice")
    monkeypatch.setenv("GL_USER", "bob")
    assert "u/alice/2026dgt belongs to alice, so bob may not write there" in push(*line_of("alice", 0))
    monkeypatch.setenv("GL_USER", "alice")
    assert push(*line_of("alice", 0)) == ""
    monkeypatch.setenv("GL_USER", "bob")
    record_own(clone, tries[1], user="bob", fork="u/alice/2026dgt@0")
    assert push(*line_of("bob", 0)) == ""
    assert DataRepo(shelf).verify().problems == []


def test_a_fork_from_what_is_not_here_is_not(clone, push, tries, record_own, monkeypatch):
    monkeypatch.setenv("GL_USER", "alice")
    record_own(clone, tries[0], user="alice")
    monkeypatch.setenv("GL_USER", "bob")
    record_own(clone, tries[1], user="bob", fork="u/alice/2026dgt@0")
    assert "Line says u/alice/2026dgt" in push(*line_of("bob", 0))


def test_a_line_of_ones_own_cannot_be_pushed_as_official(clone, shelf, push, tries, record_own, me):
    record_own(clone, tries[0])
    own = f"refs/heads/u/{me}/2026dgt"
    assert "its trailer Line says" in push(
        f"{own}:refs/heads/2026dgt", f"refs/tags/u/{me}/2026dgt/0:refs/tags/2026dgt/2"
    )
    git("--git-dir", shelf, "fetch", "--quiet", clone, f"{own}:refs/heads/u/{me}/x")
    git("--git-dir", shelf, "update-ref", "refs/heads/2026dgt", f"refs/heads/u/{me}/x")
    git("--git-dir", shelf, "update-ref", "-d", f"refs/heads/u/{me}/x")
    problems = [problem.text for problem in DataRepo(shelf).verify().problems]
    assert any("its trailer Line says" in text for text in problems), problems


def test_its_run_is_ones_own_there_too(clone, shelf, push, tries, record_own, me, monkeypatch):
    record_own(clone, tries[0], run=f"u/{me}/fits")
    message = git("--git-dir", clone, "log", "-1", "--format=%B", f"u/{me}/2026dgt").stdout
    tree = git("--git-dir", clone, "rev-parse", f"u/{me}/2026dgt/0^{{tree}}").stdout.strip()
    date = git("--git-dir", clone, "log", "-1", "--format=%aI", f"u/{me}/2026dgt").stdout.strip()
    words = [
        "commit-tree",
        tree,
        "-p",
        "2026dgt/1^{commit}",
        "-m",
        message.replace(f"Run: u/{me}/fits", "Run: night-7"),
    ]
    monkeypatch.setenv("GIT_AUTHOR_DATE", date)
    commit = git("--git-dir", clone, *words).stdout.strip()
    git("--git-dir", clone, "update-ref", f"refs/heads/u/{me}/2026dgt", commit)
    git("--git-dir", clone, "tag", "-f", "-a", "-m", "x", f"u/{me}/2026dgt/0", commit)
    assert "is a run for all" in push(*line_of(me, 0))


def test_a_half_pushed_revision_is_completed(clone, shelf, push, tries, record_own, me):
    record_own(clone, tries[0])
    record_own(clone, tries[1])
    assert push(*line_of(me, 0, 1)) == ""
    git("--git-dir", shelf, "update-ref", "-d", f"refs/tags/u/{me}/2026dgt/1")
    record_own(clone, tries[2])
    assert push(*line_of(me, 2)) == ""
    assert DataRepo(shelf).verify().problems == []
