"""Every new commit of main and of the annotations is checked, not only the tips."""

from typing import Any

import pytest

from blastgit import DataRepo
from tests.guard.test_annotations import FIRST, IDS, PATH, ROLES, SECOND, line

pytestmark = pytest.mark.slow

MAIN, ANNOTATIONS = "refs/heads/main", "refs/heads/annotations"
SETTINGS = b"format: 1\nkind: simulated\npolicy: {roles: {admin: [alice], curator: [carol]}}\n"


def amid(clone: Any, branch: str, *edits: dict[str, bytes | None]) -> None:
    for edit in edits:
        clone.edit_main(edit, branch)


def test_garbage_that_goes_again_never_comes_in(clone: Any) -> None:
    amid(clone, "annotations", {"x.bin": b"\0" * 100, PATH: FIRST}, {"x.bin": None})
    assert "'x.bin' has no place here" in clone.check(ANNOTATIONS)
    clone.git("update-ref", "-d", ANNOTATIONS)
    amid(clone, "annotations", {PATH: FIRST}, {PATH: FIRST + b"{}\n"}, {PATH: FIRST})
    said = clone.check(ANNOTATIONS)
    assert "line 2: an annotation has id, time" in said
    assert "annotations: commit " in said
    clone.git("update-ref", "-d", ANNOTATIONS)
    amid(clone, "annotations", {PATH: FIRST}, {PATH: FIRST + SECOND}, {PATH: FIRST}, {PATH: FIRST + SECOND})
    assert "was altered, moved or taken out" in clone.check(ANNOTATIONS)


def test_settings_that_are_put_back_take_an_admin_all_the_same(clone: Any) -> None:
    clone.edit_main({"blastgit.yaml": SETTINGS})
    assert clone.check(MAIN) == ""
    at = clone.git("rev-parse", MAIN)
    forged = SETTINGS + b"citation: {creators: ['Mallory, M.']}\n"
    amid(clone, "main", {"blastgit.yaml": forged}, {"blastgit.yaml": SETTINGS})
    said = clone.check(MAIN, who="carol")
    assert "carol does not have the role 'admin'" in said
    tip = clone.git("rev-parse", MAIN)
    clone.git("update-ref", MAIN, at)
    aside = clone.commit(f"{tip}^{{tree}}", [at, f"{tip}^"], "Merge what was never there")
    assert "carol does not have the role 'admin'" in clone.check(f"{aside}:{MAIN}", who="carol")
    assert clone.check(f"{aside}:{MAIN}", who="alice") == ""


def test_a_merge_may_not_bring_back_settings_of_another_day(clone: Any) -> None:
    first = clone.git("rev-parse", MAIN)
    clone.edit_main({"blastgit.yaml": SETTINGS})
    clone.edit_main({"README.md": b"# Ours\n"})
    assert clone.check(MAIN) == ""
    tip = clone.git("rev-parse", MAIN)
    stale = clone.commit(f"{first}^{{tree}}", [first], "On an old day")
    back = clone.commit(f"{first}^{{tree}}", [tip, stale], "Merge, with the settings of that day")
    assert "does not have the role 'admin'" in clone.check(f"{back}:{MAIN}", who="carol")
    merged = clone.commit(f"{tip}^{{tree}}", [tip, stale], "Merge")
    assert clone.check(f"{merged}:{MAIN}", who="carol") == ""


def test_a_broken_state_between_two_good_ones(clone: Any) -> None:
    amid(clone, "main", {"collections/x.yaml": b"type: TAGGED\nmembers:\n- 7\n"}, {"collections/x.yaml": None})
    assert "collections/x.yaml: " in clone.check(MAIN)
    clone.git("update-ref", MAIN, "settings")
    amid(clone, "main", {"blastgit.yaml": b"- a\n"}, {"blastgit.yaml": clone.show("settings:blastgit.yaml")})
    assert "blastgit.yaml" in clone.check(MAIN)
    clone.git("update-ref", MAIN, "settings")
    amid(clone, "main", {"script.py": b"x"}, {"script.py": None})
    assert "'script.py' has no place on main" in clone.check(MAIN)


@pytest.mark.parametrize("ref", [MAIN, ANNOTATIONS])
def test_a_commit_without_an_author(clone: Any, ref: str) -> None:
    amid(clone, ref.rpartition("/")[2], {"README.md": b"x\n"} if ref == MAIN else {PATH: FIRST})
    raw = clone.git("cat-file", "commit", ref).encode() + b"\n"
    for change, said in (
        ((b" <committer@example.org>", b" <>"), "has no name or no address"),
        ((b"\n\nBy hand", b"\n\nBy \x1b[2Jhand"), "control character U+001B"),
    ):
        altered = raw.replace(*change)
        assert altered != raw
        commit = clone.git("hash-object", "-w", "-t", "commit", "--stdin", "--literally", stdin=altered)
        assert said in clone.check(f"{commit}:{ref}")


def test_an_id_is_its_own(clone: Any) -> None:
    """With the id of what somebody said one could take that back, as if it were one's own."""
    clone.edit_main({"blastgit.yaml": ROLES})
    assert clone.check(MAIN) == ""
    clone.edit_main({PATH: FIRST}, "annotations")
    assert clone.check(ANNOTATIONS, who="alice") == ""
    at = clone.git("rev-parse", ANNOTATIONS)
    forged = line(3, user="eve", comment="mine", id=IDS[1])
    clone.edit_main({PATH: FIRST + forged}, "annotations")
    assert f"its id, {IDS[1]}, is that of what alice said" in clone.check(ANNOTATIONS, who="eve")
    clone.git("update-ref", ANNOTATIONS, at)
    pair = [line(4, user="eve", id=IDS[4]), line(5, user="eve", id=IDS[4], subject="transient:2026dgt")]
    clone.edit_main({PATH: FIRST + pair[0], "transient/2026dgt.jsonl": pair[1]}, "annotations")
    assert f"its id, {IDS[4]}, is that of what eve said" in clone.check(ANNOTATIONS, who="eve")
    clone.git("update-ref", ANNOTATIONS, at)
    same = {"user": "eve", "id": IDS[4], "subjects": 2}
    pair = [line(4, **same), line(4, **same, subject="transient:2026dgt")]
    clone.edit_main({PATH: FIRST + pair[0], "transient/2026dgt.jsonl": pair[1]}, "annotations")
    assert clone.check(ANNOTATIONS, who="eve") == ""


def test_two_histories_of_remarks_come_together(clone: Any) -> None:
    """A merge is taken in though each side lacks the lines of the other, and so is one of two beginnings."""
    clone.edit_main({PATH: FIRST}, "annotations")
    assert clone.check(ANNOTATIONS) == ""
    base = clone.git("rev-parse", ANNOTATIONS)
    theirs = clone.edit_main({PATH: FIRST + line(3)}, "annotations")
    assert clone.check(ANNOTATIONS) == ""
    clone.git("update-ref", ANNOTATIONS, base)
    ours = clone.edit_main({PATH: FIRST + line(4)}, "annotations")
    both = clone.edit_main({PATH: FIRST + line(3) + line(4)}, "annotations")
    merge = clone.commit(f"{both}^{{tree}}", [ours, theirs], "Merge")
    assert clone.check(f"{merge}:{ANNOTATIONS}") == ""
    lost = clone.commit(f"{ours}^{{tree}}", [merge, ours], "Merge")
    assert "was altered, moved or taken out" in clone.check(f"{lost}:{ANNOTATIONS}")
    clone.git("update-ref", "-d", ANNOTATIONS)
    other = clone.edit_main({PATH: line(5)}, "annotations")
    clone.git("update-ref", "-d", ANNOTATIONS)
    all_of_it = clone.edit_main({PATH: FIRST + line(3) + line(4) + line(5)}, "annotations")
    joined = clone.commit(f"{all_of_it}^{{tree}}", [merge, other], "Merge")
    assert clone.check(f"{joined}:{ANNOTATIONS}") == ""
    assert DataRepo(clone.repo).verify().problems == []
