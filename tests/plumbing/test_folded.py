import pygit2
import pytest

from blastgit.plumbing.folded import branches_like


@pytest.fixture
def repo(tmp_path):
    git = pygit2.init_repository(str(tmp_path / "git"), bare=True)
    who = pygit2.Signature("A", "a@example.org", 1)
    commit = git.create_commit(None, who, who, "m", git.TreeBuilder().write(), [])

    def add(*names):
        for name in names:
            git.references.create(f"refs/heads/{name}", commit)

    return tmp_path / "git", add


def like(repo, name):
    return sorted(branches_like(repo, name, repo / "cache"))


def test_loose_and_packed_branches_are_found_whatever_the_case(repo, run):
    path, add = repo
    add("2026dgt", "2026abc", "u/alice/2026DGT")
    run("git", "-C", path, "tag", "2026Abc", "2026abc")
    assert like(path, "2026DGT") == ["2026dgt"]
    run("git", "-C", path, "pack-refs", "--all")
    add("2026ABC")
    assert like(path, "2026abc") == ["2026ABC", "2026abc"]
    assert like(path, "2026ab") == like(path, "026abc") == like(path, "alice") == []


def test_the_list_follows_what_git_packs(repo, run):
    path, add = repo
    assert like(path, "2026dgt") == []
    for name in ("2026dgt", "2026abc"):
        add(name)
        run("git", "-C", path, "pack-refs", "--all")
        assert like(path, name.upper()) == [name]
    run("git", "-C", path, "branch", "-D", "2026dgt")
    assert like(path, "2026dgt") == []
    assert like(path, "2026abc") == ["2026abc"]


def test_a_list_that_cannot_be_kept_is_made_each_time(repo, run):
    path, add = repo
    add("2026dgt")
    run("git", "-C", path, "pack-refs", "--all")
    assert list(branches_like(path, "2026DGT", path / "none" / "cache")) == ["2026dgt"]
    (path / "cache").write_bytes(b"damaged")
    assert like(path, "2026DGT") == ["2026dgt"]
