"""Pushed drafts are checked like revisions; where only complete states get a number, no other state gets one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import Sample
from blastgit.demo.changes import fail_stage
from blastgit.recording.result import Recorded

pytestmark = pytest.mark.slow

DRAFTS = "refs/drafts/2026dgt"
SETTINGS = b"format: 1\nkind: simulated\npublish: complete\n"


@pytest.fixture
def broken(sample: Sample) -> Sample:
    return fail_stage(sample, "Global host SED inference")


@pytest.fixture
def drafted(clone: Any, broken: Sample, record: Callable[..., Recorded]) -> Any:
    """A clone in which a draft of revision 2 was recorded that the repo does not have yet."""
    assert clone.check("refs/heads/2026dgt", "refs/tags/2026dgt/1") == ""
    clone.edit_main({"blastgit.yaml": SETTINGS})
    assert clone.check("refs/heads/main") == ""
    assert record(clone.path, broken).draft == "2026dgt@2:draft-1"
    return clone


def test_a_good_draft_is_taken_in_and_may_not_go_again(drafted: Any) -> None:
    assert drafted.check(DRAFTS) == ""
    assert DataRepo(drafted.repo).verify().problems == []
    assert "may not be deleted" in drafted.check(f":{DRAFTS}")


def forge(clone: Any, message: Callable[[str], str], tree: str = "") -> None:
    text = message(clone.git("log", "-1", "--format=%B", DRAFTS))
    commit = clone.commit(tree or clone.git("rev-parse", f"{DRAFTS}^{{tree}}"), [], text, like=DRAFTS)
    clone.git("update-ref", DRAFTS, commit)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Towards: 2", "Towards: 9", "the next one of 2026dgt is"),
        ("Draft: 1", "Draft: 2", "its trailer Draft says 2, but it is number 1 of revision"),
        ("Status: failed: Global host SED inference", "Status: complete", "its trailer Status says"),
        ("Marker: draft", "Marker: revision", "its trailers do not tell what it is"),
        ("Towards: 2\n", "", "its trailer Towards should be there"),
        (" draft 1 of revision", " state of revision", "its message should begin with"),
        ("Science-Digest: sha256:", "Science-Digest: sha256:00", "its trailer Science-Digest"),
    ],
)
def test_a_forged_draft_is_denied(drafted: Any, old: str, new: str, said: str) -> None:
    assert old in drafted.git("log", "-1", "--format=%B", DRAFTS)
    forge(drafted, lambda text: text.replace(old, new))
    assert said in drafted.check(DRAFTS)


def test_a_line_of_drafts_only_moves_forward(drafted: Any) -> None:
    assert drafted.check(DRAFTS) == ""
    forge(drafted, lambda text: text.replace("Recorded-By: ", "Recorded-By: another "))
    assert "it would not be a fast-forward" in drafted.check(DRAFTS)


def test_a_draft_is_none_on_a_branch(drafted: Any) -> None:
    text = drafted.git("log", "-1", "--format=%B", DRAFTS)
    tip = drafted.git("rev-parse", "refs/heads/2026dgt")
    commit = drafted.commit(drafted.git("rev-parse", f"{DRAFTS}^{{tree}}"), [tip], text, like=DRAFTS)
    drafted.git("update-ref", "refs/heads/2026dgt", commit)
    assert "a branch holds only states that have a number" in drafted.check("refs/heads/2026dgt")


def test_a_failed_revision_gets_no_number_here(clone: Any, broken: Sample, record: Callable[..., Recorded]) -> None:
    assert clone.check("refs/heads/2026dgt", "refs/tags/2026dgt/1") == ""
    record(clone.path, broken)
    clone.edit_main({"blastgit.yaml": SETTINGS})
    assert clone.check("refs/heads/main") == ""
    number = DataRepo(clone.path).log("2026dgt")[0].revision.number
    said = clone.check("refs/heads/2026dgt", f"refs/tags/2026dgt/{number}")
    assert "this repo gives numbers to complete states only" in said


def test_a_whole_history_is_taken_in_as_it_is(
    drafted: Any, sample: Sample, record: Callable[..., Recorded], tmp_path: Path, run: Callable[..., str]
) -> None:
    """A copy is pushed of a repo that chose later, and whose draft is over."""
    whole = tmp_path / "copy.git"
    run("git", "init", "-q", "--bare", whole)
    from blastgit.repository.hooks import install_hooks

    install_hooks(whole)
    for tag in drafted.git("tag", "--list").split():
        if "/" not in tag:
            drafted.git("tag", "--delete", tag)
    run("git", "-C", drafted.path, "push", "-q", "--mirror", f"file://{whole}")
    assert DRAFTS in run("git", "-C", whole, "for-each-ref", "--format=%(refname)")
