import os
import shutil

import pygit2
import pytest

from blastgit.errors import RepoError
from blastgit.plumbing.ref_update import RefLocked, RefMoved, RefUpdate
from blastgit.plumbing.refs import update_refs


@pytest.fixture
def git(tmp_path):
    return pygit2.init_repository(str(tmp_path / "git"), bare=True)


@pytest.fixture
def commits(git):
    who = pygit2.Signature("a", "a@example.org", 1, 0)
    tree = git.TreeBuilder().write()
    return [str(git.create_commit(None, who, who, str(n), tree, [])) for n in range(3)]


def refs(git):
    return {name: str(git.references[name].target) for name in git.references}


def update(git, *updates):
    update_refs(git.path, updates, "why")


def test_all_move_together(git, commits):
    update(git, RefUpdate("refs/heads/ab", commits[0]), RefUpdate("refs/tags/ab/0", commits[0]))
    update(git, RefUpdate("refs/heads/ab", commits[1], commits[0]), RefUpdate("refs/tags/ab/1", commits[1]))
    assert refs(git) == {"refs/heads/ab": commits[1], "refs/tags/ab/0": commits[0], "refs/tags/ab/1": commits[1]}


@pytest.mark.parametrize("old", [None, 2])
def test_nothing_moves_if_one_is_elsewhere(git, commits, old):
    update(git, RefUpdate("refs/heads/ab", commits[0]))
    wrong = RefUpdate("refs/heads/ab", commits[1], None if old is None else commits[old])
    with pytest.raises(RefMoved, match="refs/tags/ab/0, refs/heads/ab: moved by somebody else"):
        update(git, RefUpdate("refs/tags/ab/0", commits[1]), wrong)
    assert refs(git) == {"refs/heads/ab": commits[0]}


def test_a_ref_that_is_gone_has_moved_too(git, commits):
    with pytest.raises(RefMoved):
        update(git, RefUpdate("refs/heads/ab", commits[1], commits[0]))


def test_a_lock_of_another_process_stays(git, commits, tmp_path, monkeypatch):
    monkeypatch.setattr("blastgit.plumbing.refs._PATIENT", ())  # git's own tenth of a second is long enough here
    lock = tmp_path / "git/refs/heads/ab.lock"
    with lock.open("x"), pytest.raises(RefLocked):
        update(git, RefUpdate("refs/tags/ab/0", commits[0]), RefUpdate("refs/heads/ab", commits[0]))
    assert (lock.exists(), refs(git)) == (True, {})


def test_what_cannot_be_written_is_no_race(git, commits, tmp_path):
    with pytest.raises(RepoError) as caught:
        update(git, RefUpdate("refs/heads/ab", "1" * 40))
    assert not isinstance(caught.value, RefMoved)
    update(git, RefUpdate("refs/heads/ab", commits[0]))
    with pytest.raises(RepoError, match="refs/heads/ab/c cannot be written") as caught:
        update(git, RefUpdate("refs/heads/ab/c", commits[0]))
    assert not isinstance(caught.value, RefMoved)


def test_a_full_disk_is_called_one(small_disk, commits, git):
    full = shutil.copytree(git.path, small_disk / "git")
    room = os.statvfs(small_disk)
    (small_disk / "ballast").write_bytes(b"x" * room.f_bavail * room.f_frsize)
    with pytest.raises(RepoError, match="no ref was moved; make room"):
        update_refs(full, [RefUpdate("refs/heads/ab", commits[0])], "why")
