"""Which flag holds when several users have set one and some have changed it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.annotations.flags import Rule, read_flags
from blastgit.annotations.query import Filter
from blastgit.api.annotations import Annotations
from blastgit.errors import Denied, InvalidInput, NotFound, RepoError, UsageError

SPEC = "2026dgt@1"


def flag(room: Annotations) -> str:
    return str(room.about(SPEC).own)


def test_the_last_word_of_a_person_counts(history: Path, room: Annotations, speak: Callable[..., Any]) -> None:
    assert flag(room) == "None"
    speak(history, "alice", SPEC, flag="bad")
    speak(history, "alice", SPEC, flag="good")
    assert flag(room) == "good"
    assert len(room.about(SPEC).notes) == 2


def test_disagreement_is_a_dispute(history: Path, room: Annotations, speak: Callable[..., Any]) -> None:
    speak(history, "alice", SPEC, flag="good")
    speak(history, "bob", SPEC, flag="suspect")
    assert flag(room) == "disputed (good by alice, suspect by bob)"
    state = room.about(SPEC).own
    assert state is not None
    assert (state.value, state.is_disputed) == ("suspect", True)
    speak(history, "bob", SPEC, flag="good", comment="looked again")
    assert flag(room) == "good"


def test_a_bot_does_not_override_a_human(history: Path, room: Annotations, speak: Callable[..., Any]) -> None:
    speak(history, "qa-bot", SPEC, flag="bad")
    state = room.about(SPEC).own
    assert state is not None
    assert (state.value, state.by_bots) == ("bad", True)
    done = speak(history, "alice", SPEC, flag="good")
    speak(history, "checker", SPEC, flag="unusable", bot=True)
    assert flag(room) == "good"
    with pytest.raises(Denied, match="a bot does not override a human"):
        speak(history, "qa-bot", [], flag="bad", supersedes=done.ids)
    events = {note.event.user: note.event.is_bot for note in room.about(SPEC).notes}
    assert events == {"qa-bot": True, "alice": False, "checker": True}


def test_an_edit_takes_the_place_of_what_was_said(history: Path, room: Annotations, speak: Callable[..., Any]) -> None:
    first = speak(history, "alice", [SPEC, "2026dgt@0"], flag="bad", comment="tpyo")
    second = speak(history, "alice", [], flag="suspect", comment="typo", supersedes=first.ids)
    assert second.subjects == 2
    notes = room.about(SPEC).notes
    assert [(note.state, note.event.remark.comment) for note in notes] == [("superseded", "tpyo"), ("current", "typo")]
    assert notes[0].by == second.ids[0]
    assert [note.event.remark.comment for note in room.list().notes] == ["typo", "typo"]
    assert len(room.list(Filter(history=True)).notes) == 4
    assert flag(room) == "suspect"


def test_a_retraction_leaves_nothing_in_force(history: Path, room: Annotations, speak: Callable[..., Any]) -> None:
    first = speak(history, "alice", SPEC, flag="bad")
    speak(history, "alice", SPEC, comment="wrong object", supersedes=first.ids, retract=True)
    assert flag(room) == "None"
    assert [note.state for note in room.about(SPEC).notes] == ["retracted", "retraction"]
    assert room.list().notes == ()


def test_only_what_is_there_can_be_superseded(history: Path, speak: Callable[..., Any]) -> None:
    first = speak(history, "alice", SPEC, flag="bad")
    other = speak(history, "alice", "2026dgt@0", flag="bad")
    nothing = ("00000000-0000-5000-8000-000000000000",)
    with pytest.raises(NotFound, match="has no annotation"):
        speak(history, "alice", "2026dgt@0", comment="x", supersedes=first.ids)
    with pytest.raises(NotFound, match="there is no annotation"):
        speak(history, "alice", [], comment="x", supersedes=nothing)
    with pytest.raises(UsageError, match="have different subjects"):
        speak(history, "alice", [], comment="x", supersedes=first.ids + other.ids)


def test_a_curator_settles_a_dispute(
    history: Path, room: Annotations, speak: Callable[..., Any], set_main: Callable[..., None], me: str
) -> None:
    ids = speak(history, "alice", SPEC, flag="good").ids + speak(history, "bob", SPEC, flag="bad").ids
    roles = "{admin: [root-of-all], annotator: ['*'], curator: [%s]}"
    set_main(history, f"policy: {{roles: {roles % 'nobody'}}}\n")
    with pytest.raises(Denied, match="role 'curator'"):
        speak(history, me, SPEC, flag="suspect", supersedes=ids)
    repository = DataRepo(history).session.repository
    from blastgit.repository.edit import BranchEdit, commit_to_branch

    text = repository.main_file("blastgit.yaml").replace(b"curator: [nobody]", f"curator: [{me}]".encode())
    commit_to_branch(repository, "main", lambda _: BranchEdit({"blastgit.yaml": text}, "Set"))
    speak(history, me, SPEC, flag="suspect", supersedes=ids)
    assert flag(room) == "suspect"


def test_filters(history: Path, room: Annotations, speak: Callable[..., Any]) -> None:
    speak(history, "alice", SPEC, flag="bad", tags=("focus",))
    speak(history, "bob", SPEC, flag="good", tags=("wind",))
    speak(history, "carol", SPEC, comment="x")
    chosen = {
        "alice": Filter(flag="bad"),
        "bob,carol": Filter(flag="!bad"),
        "bob": Filter(tag="w*"),
        "carol": Filter(user="c*"),
    }
    for users, each in chosen.items():
        assert ",".join(note.event.user for note in room.list(each).notes) == users


def test_a_repo_has_its_own_words(
    history: Path, room: Annotations, speak: Callable[..., Any], set_main: Callable[..., None]
) -> None:
    set_main(history, "flags: {values: {usable: fit, awful: not fit}, tags: ['focus:*'], bots: [robby]}\n")
    speak(history, "robby", SPEC, flag="awful", tags=("focus:z",))
    assert room.about(SPEC).notes[0].event.is_bot
    with pytest.raises(InvalidInput, match="no flag 'bad' in this data repo: usable, awful"):
        speak(history, "alice", SPEC, flag="bad")
    with pytest.raises(InvalidInput, match="the tag 'wind' is not used in this data repo: focus:"):
        speak(history, "alice", SPEC, tags=("wind",))


@pytest.mark.parametrize(
    ("loaded", "words"),
    [
        ([], "should be a mapping"), ({"colours": []}, "unknown key 'colours'"), ({"values": {}}, "values should map"),
        ({"values": {"disputed": "x"}}, "has 'disputed'"), ({"values": {"Bad": "x"}}, "has 'Bad'"),
        ({"inherit": "yes"}, "true or false"), ({"bots": "x"}, "list of texts"), ({"tags": [1]}, "list of texts"),
        ({"rules": ["bad goes"]}, r"rules\[0\] is 'bad goes'"), ({"rules": ["awful leaves x"]}, "write `FLAG leaves"),
    ],
)  # fmt: skip
def test_a_section_that_makes_no_sense(loaded: Any, words: str) -> None:
    with pytest.raises(RepoError, match=words):
        read_flags(loaded)


def test_which_collections_a_rule_is_about() -> None:
    rule = read_flags({"rules": ["bad leaves <instrument>/defaults"]}).rules[0]
    assert [rule.covers(name) for name in ("DES/defaults", "defaults", "a/b/defaults", "DES/defaults/x")] == [
        True, False, False, False,
    ]  # fmt: skip
    assert Rule("bad", "u/*").covers("u/alice/x/y")


def test_an_id_that_was_used_again_of_another_subject_takes_nobody_anything(
    history: Path, room: Annotations, speak: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = speak(history, "alice", SPEC, flag="bad")
    with monkeypatch.context() as patched:
        patched.setattr("blastgit.annotations.write.new_id", lambda *_: first.ids[0])
        speak(history, "mallory", "2026dgt@0", comment="mine")
    with pytest.raises(UsageError, match="is the id of 2 annotations, about revision:2026dgt@0, revision:2026dgt@1"):
        speak(history, "mallory", [], comment="never mind", supersedes=first.ids, retract=True)
    speak(history, "mallory", "2026dgt@0", comment="never mind", supersedes=first.ids, retract=True)
    assert flag(room) == "bad"
    speak(history, "alice", SPEC, comment="never mind", supersedes=first.ids, retract=True)
    assert flag(room) == "None"
