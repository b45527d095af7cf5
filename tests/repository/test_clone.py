"""A plain clone with a work tree, as `git clone` makes it, used instead of a data repo."""

import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.demo import edit_flux
from blastgit.errors import NotFound, RepoError


@pytest.fixture
def clone(history, run, tmp_path):
    run("git", "clone", "--quiet", history, tmp_path / "clone")
    return tmp_path / "clone"


def test_it_answers_as_the_repo_it_is_of(history, clone):
    ours, theirs = DataRepo(clone), DataRepo(history)
    assert ours.list().to_json() == theirs.list().to_json()
    assert [each.to_json() for each in ours.log("2026dgt")] == [each.to_json() for each in theirs.log("2026dgt")]
    assert ours.show("2026dgt@0").to_json() == theirs.show("2026dgt@0").to_json()
    assert ours.diff("2026dgt@0", "2026dgt@1").to_json() == theirs.diff("2026dgt@0", "2026dgt@1").to_json()
    assert ours.collections.list() == theirs.collections.list()
    with pytest.raises(NotFound, match="did you mean 2026dgt"):
        ours.log("2026dgx")


def test_it_is_as_it_last_fetched(history, clone, states, record, run):
    record(history, edit_flux(states[2], "DES_z", 1.5))
    assert DataRepo(clone).list()[0].revision == 1
    run("git", "fetch", "--quiet", cwd=clone)
    assert DataRepo(clone).list()[0].revision == 2


def test_it_takes_annotations_and_nothing_else(history, clone, states, record, run):
    before = run("git", "for-each-ref", cwd=clone)
    with pytest.raises(RepoError, match="is a clone"):
        record(clone, edit_flux(states[2], "DES_z", 1.5))
    with pytest.raises(RepoError, match="is a clone"):
        DataRepo(clone).collections.create("mine", "TAGGED", "for a test")
    assert run("git", "for-each-ref", cwd=clone) == before
    DataRepo(clone).annotations.add(["2026dgt@1"], AnnotationBody("looks fine"))
    assert [each.event.remark.comment for each in DataRepo(clone).annotations.about("2026dgt@1").notes] == [
        "looks fine"
    ]


def test_one_of_a_single_branch_says_what_to_fetch(history, run, tmp_path):
    clone = tmp_path / "single"
    run("git", "clone", "--quiet", "--single-branch", "--branch", "2026dgt/0", history.as_uri(), clone)
    with pytest.raises(RepoError, match="fetch origin main"):
        DataRepo(clone)
    run("git", "fetch", "--quiet", "origin", "main:refs/remotes/origin/main", cwd=clone)
    assert DataRepo(clone).show("2026dgt@0").to_json() == DataRepo(history).show("2026dgt@0").to_json()
