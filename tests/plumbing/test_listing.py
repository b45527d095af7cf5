"""Listing the refs of a kind: the same by git, where there are many, as by libgit2."""

from pathlib import Path

import pygit2
import pytest

from blastgit.errors import DamagedData
from blastgit.plumbing import objects


@pytest.fixture
def many(repo_with, states, monkeypatch):
    repo = repo_with(*states)
    git = repo.session.repository.git
    pygit2.Repository(git.path).compress_references()
    monkeypatch.setattr(objects, "_MANY", 0)
    return git


@pytest.mark.parametrize("start", ["refs/heads/", "refs/tags/2026dgt/", "refs/workflow/", "refs/", "refs/heads/2026"])
def test_git_and_libgit2_list_the_same(many, monkeypatch, start):
    quick = objects.list_refs(many, start)
    monkeypatch.setattr(objects, "_MANY", 10**9)
    assert sorted(quick) == sorted(objects.list_refs(many, start))
    assert all(name.startswith(start.encode()) for name in quick)
    assert bool(quick) is (start != "refs/workflow/")


def test_a_damaged_list_is_damage_in_both_ways(many):
    (Path(many.path) / "packed-refs").write_bytes(b"\0garbage\n")
    with pytest.raises(DamagedData, match="packed-refs"):
        objects.list_refs(pygit2.Repository(many.path), "refs/tags/release/")
