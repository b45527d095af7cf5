"""Annotating one or many subjects, and what is refused."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blastgit import DataRepo
from blastgit.annotations.annotation import COMMENT_LIMIT, AnnotationBody, read_strictly
from blastgit.annotations.subjects import read_subject
from blastgit.api.annotations import Annotations
from blastgit.errors import BlastgitError, Denied, InvalidInput, InvalidName, NotFound, UsageError

IMAGE = "cutout_cdn/DES/DES_g.fits"


def show(repo: Path, path: str) -> str:
    done = subprocess.run(["git", "-C", repo, "show", f"annotations:{path}"], capture_output=True, check=True)
    return done.stdout.decode()


def test_every_kind_of_subject_in_one_commit(history: Path, speak: Callable[..., Any], run: Callable[..., str]) -> None:
    sha256 = DataRepo(history).show(f"2026dgt@0:{IMAGE}").value["sha256"]
    subjects = [
        "2026dgt@1", "2026dgt/0", "2026dgt@latest", f"2026dgt@0:{IMAGE}", f"sha256:{sha256}", "2026dgt@1:host.redshift",
        "2026dgt@1:photometry", "2026dgt", "2026dgt:host", "2027new", "run:DES/1/b", "revision:2026dgt@0",
        "interval:2026-05-27T05:00:00+02:00/2026-05-27T04:00:00.5Z",
    ]  # fmt: skip
    said = {"comment": "café 🌟 العربية", "flag": "suspect", "tags": ("focus", "wind:20")}
    done = speak(history, "alice", subjects, announce=True, **said)
    assert (len(done.ids), done.subjects) == (1, 10)
    assert run("git", "-C", history, "rev-list", "--count", "annotations") == "1\n"
    paths = run("git", "-C", history, "ls-tree", "-r", "--name-only", "annotations").split()
    assert paths == [
        ".gitattributes", f"file/sha256/{sha256[:2]}/{sha256[2:]}.jsonl",
        "interval/2026/20260527T030000Z-20260527T040000.500000Z.jsonl", "revision/2026dgt/0.jsonl",
        "revision/2026dgt/1.jsonl", "run/DES/1/b.jsonl", "transient/2026dgt.jsonl", "transient/2027new.jsonl",
    ]  # fmt: skip
    line = json.loads(show(history, paths[1]))
    assert line == {
        "id": done.ids[0], "time": "2026-07-01T12:00:01Z", "user": "alice", "actor": "human",
        "comment": "café 🌟 العربية", "flag": "suspect", "tags": ["focus", "wind:20"],
        "subject": f"file:sha256:{sha256}", "subjects": 10,
        "as": f"2026dgt@0:{IMAGE}",
    }  # fmt: skip
    assert run("git", "-C", history, "fsck", "--strict") == ""


def test_a_file_is_found_again_in_every_revision_that_has_it(
    history: Path, room: Annotations, speak: Callable[..., Any]
) -> None:
    speak(history, "alice", f"2026dgt@0:{IMAGE}", flag="bad", comment="satellite")
    found = room.about(f"2026dgt@1:{IMAGE}")
    assert [note.event.remark.comment for note in found.notes] == ["satellite"]
    assert str(found.own) == "bad"
    assert room.about("2026dgt@1").notes[0].origin == f"2026dgt@1:{IMAGE}"
    changed = "cutout_cdn/DES/DES_z.fits"
    speak(history, "alice", f"2026dgt@0:{changed}", comment="of the old image")
    assert len(room.about(f"2026dgt@0:{changed}").notes) == 1
    assert room.about(f"2026dgt@1:{changed}").notes == ()


def test_a_transient_is_annotated_before_it_has_data(
    repo: Path, sample: Any, record: Callable[..., Any], speak: Callable[..., Any]
) -> None:
    with pytest.raises(NotFound, match=r"there is no transient 2026dgt .* --announce"):
        speak(repo, "alice", "2026dgt", comment="being observed")
    speak(repo, "alice", "2026dgt", announce=True, comment="being observed")
    speak(repo, "bob", "2026dgt", comment="clouds")  # which has been announced
    assert record(repo, sample).status == "recorded"
    said = [note.event.remark.comment for note in DataRepo(repo).annotations.about("2026dgt@0").notes]
    assert said == ["being observed", "clouds"]


def test_gaps_are_found_by_what_they_overlap(room: Annotations, history: Path, speak: Callable[..., Any]) -> None:
    speak(
        history, "alice", "interval:2026-05-27T03:00:00Z/2026-05-27T04:00:00Z", comment="fault", link="https://t.org/1"
    )
    assert len(room.about("interval:2026-05-27T03:59:59Z/2026-05-28T00:00:00Z").notes) == 1
    assert room.about("interval:2026-05-27T04:00:00Z/2026-05-28T00:00:00Z").notes == ()


@pytest.mark.parametrize(
    ("subject", "error", "words"),
    [
        ("2026dgt@7", NotFound, "has no revision 7"),
        ("2026dgu@0", NotFound, "did you mean 2026dgt"),
        ("2026DGT", NotFound, "differs only in case"),
        (f"2026dgt@0:{IMAGE}x", NotFound, "did you mean cutout_cdn/DES/DES_g.fits"),
        ("2026dgt@0:host.redshit", NotFound, "did you mean host.redshift"),
        ("2026dgt:host.redshit", NotFound, "did you mean host.redshift"),
        ("collection:nothing", NotFound, "collection nothing does not exist"),
        ("file:sha256:12", InvalidName, "64 hexadecimal digits"),
        ("run:../x", InvalidName, "is not a name of a run"),
        ("run:a.jsonl/b", InvalidName, "is not a name of a run"),
        ("run:CON", InvalidName, "checked out on every system"),
        ("interval:2026-05-27", InvalidName, "BEGIN/END"),
        ("interval:2026-05-27T03:00:00/2026-05-27T04:00:00Z", InvalidInput, "has no zone: add Z"),
        ("interval:2026-05-27T04:00:00Z/2026-05-27T03:00:00Z", InvalidInput, "ends before it begins"),
        ("interval:2026-05-27T04:00:00Z/2026-05-27T04:00:00Z", InvalidInput, "ends before it begins"),
        ("interval:x/y", InvalidInput, "is not a time"),
        ("transient:2026dgt@0", InvalidName, "is about a revision"),
        ("", InvalidName, "does not name a revision"),
        ("a b", InvalidName, "is not a transient name"),
    ],
)
def test_a_bad_subject_among_good_ones_changes_nothing(
    history: Path, tree_of: Callable[..., Any], speak: Callable[..., Any], subject: str, error: Any, words: str
) -> None:
    before = tree_of(history)
    with pytest.raises(error, match=words):
        speak(history, "alice", ["2026dgt@0", subject], comment="x")
    assert tree_of(history) == before


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "needs some content"),
        ({"comment": " \n"}, "blank"),
        ({"comment": "a\x1b[2Jb"}, r"control character U\+001B"),
        ({"comment": "a\x00b"}, r"control character U\+0000"),
        ({"comment": "a\rb"}, r"control character U\+000D"),
        ({"comment": "\ud800"}, r"U\+D800"),
        ({"comment": "x" * 10_000_000}, "10,000,000 bytes, more than the 16,384 allowed"),
        ({"comment": "é" * (COMMENT_LIMIT // 2 + 1)}, "more than the 16,384 allowed"),
        ({"flag": "awful"}, "no flag 'awful' in this data repo: good, suspect, bad, unusable"),
        ({"flag": "BAD"}, "is not a flag"),
        ({"tags": ("two words",)}, "is not a tag"),
        ({"tags": ("a", "a")}, "different tags"),
        ({"link": "javascript:alert(1)"}, "is not a link"),
        ({"link": "https://x.org/a b"}, "is not a link"),
        ({"supersedes": ("x",)}, "is not an id"),
        ({"retract": True, "comment": "x"}, "names the annotations"),
    ],
)
def test_what_cannot_be_said(
    history: Path, tree_of: Callable[..., Any], speak: Callable[..., Any], said: dict[str, Any], words: str
) -> None:
    before = tree_of(history)
    with pytest.raises(InvalidInput, match=words):
        speak(history, "alice", ["2026dgt@0", "2026dgt@1"], **said)
    assert tree_of(history) == before


def test_the_longest_comment_fits(history: Path, speak: Callable[..., Any]) -> None:
    speak(history, "alice", "2026dgt@0", comment='"' * COMMENT_LIMIT)
    assert len(DataRepo(history).annotations.about("2026dgt@0").notes[0].event.remark.comment) == COMMENT_LIMIT


def test_somebody_must_be_named(room: Annotations) -> None:
    with pytest.raises(UsageError, match="Name at least one subject"):
        room.add([], AnnotationBody(comment="x"))


def test_the_same_words_at_the_same_moment_are_said_once(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-07-01T12:00:00+00:00")
    room = DataRepo(history).annotations
    first, again = (room.add(["2026dgt@0"], AnnotationBody(comment="x")) for _ in range(2))
    assert (first.subjects, again.subjects) == (1, 0)
    assert first.commit == again.commit


def test_a_dry_run_checks_and_writes_nothing(
    history: Path, tree_of: Callable[..., Any], speak: Callable[..., Any]
) -> None:
    before = tree_of(history)
    done = speak(history, "alice", ["2026dgt@0", "2026dgt@1"], comment="x", dry_run=True)
    assert (done.subjects, done.commit) == (2, None)
    assert tree_of(history) == before


@pytest.mark.slow
def test_ten_thousand_subjects_in_one_call(repo: Path, run: Callable[..., str]) -> None:
    room = DataRepo(repo).annotations
    names = [f"2026x{number:05}" for number in range(10_000)]
    done = room.add(names, AnnotationBody(comment="clouds", flag="suspect"), announce=True)
    assert (len(done.ids), done.subjects) == (1, 10_000)
    assert run("git", "-C", repo, "rev-list", "--count", "annotations") == "1\n"
    assert len(room.list().notes) == 10_000
    with pytest.raises(InvalidName):
        room.add([*names, "not a name"], AnnotationBody(comment="never"), announce=True)
    assert len(room.list().notes) == 10_000


def test_an_attachment_travels_with_the_branch(
    history: Path, speak: Callable[..., Any], clone: Callable[..., Path], tmp_path: Path
) -> None:
    plot = tmp_path / "qa plot.png"
    plot.write_bytes(b"\x89PNG\r\n" + bytes(range(256)))
    done = speak(history, "alice", ["2026dgt@0", "2026dgt@1"], comment="see", attach=plot)
    away = clone(history, "away")
    assert DataRepo(away).annotations.attachment(done.ids[0]) == ("qa plot.png", plot.read_bytes())
    with pytest.raises(NotFound):
        DataRepo(away).annotations.attachment("00000000-0000-5000-8000-000000000000")


@pytest.mark.parametrize(
    ("size", "words"), [(0, "has 0 bytes"), (10 * 1024 * 1024 + 1, "puts larger ones into the store")]
)
def test_what_cannot_be_attached(
    history: Path, speak: Callable[..., Any], tmp_path: Path, size: int, words: str
) -> None:
    (tmp_path / "x").write_bytes(b"x" * size)
    with pytest.raises(InvalidInput, match=words):
        speak(history, "alice", "2026dgt@0", attach=tmp_path / "x")
    with pytest.raises(InvalidInput, match="cannot be attached"):
        speak(history, "alice", "2026dgt@0", attach=tmp_path / "missing")


def test_names_that_differ_only_in_case(history: Path, speak: Callable[..., Any]) -> None:
    speak(history, "alice", ["2027new", "run:des/Runs/x"], announce=True, comment="x")
    for twin in ("2027NEW", "run:DES/Runs/y", "run:des/Runs/X"):
        with pytest.raises(InvalidInput, match="differs only in case"):
            speak(history, "alice", twin, announce=True, comment="x")
    with pytest.raises(InvalidInput, match="differs only in case"):
        speak(history, "alice", ["2028a1", "2028A1"], announce=True, comment="x")


def test_roles_and_who_speaks(history: Path, speak: Callable[..., Any], set_main: Callable[..., None], me: str) -> None:
    set_main(history, f"policy: {{roles: {{admin: [alice], annotator: [{me}]}}}}\n")
    speak(history, me, "2026dgt@0", comment="x")
    with pytest.raises(Denied, match=rf"bob is named as the author, but {me} adds it: .*'relay'"):
        speak(history, "bob", "2026dgt@0", comment="x")


def test_without_the_role(history: Path, speak: Callable[..., Any], set_main: Callable[..., None], me: str) -> None:
    set_main(history, f"policy: {{roles: {{admin: [alice], relay: [{me}]}}}}\n")
    with pytest.raises(Denied, match="role 'annotator'"):
        speak(history, me, "2026dgt@0", comment="x")


WORDS = st.text(max_size=60)


@given(comment=WORDS, tags=st.lists(st.text(max_size=8), max_size=3), link=st.text(max_size=20))
def test_whatever_can_be_said_comes_back(comment: str, tags: list[str], link: str) -> None:
    from datetime import UTC, datetime

    from blastgit.annotations.annotation import Annotation

    try:
        remark = AnnotationBody(comment, "", tuple(tags), link).check()
    except BlastgitError:
        return
    moment = datetime(2026, 7, 1, 12, 0, 0, 5, UTC)
    event = Annotation(
        "00000000-0000-5000-8000-000000000000", moment, "é", False, read_subject("transient:2026dgt"), remark
    )
    line = event.line()
    assert line.count(b"\n") == 1
    assert read_strictly(line[:-1]) == event


@given(st.text(max_size=60) | st.from_regex(r"(revision|file|transient|run|interval):[\w@/.:+-]{0,40}", fullmatch=True))
def test_a_subject_reads_back_as_itself(text: str) -> None:
    try:
        subject = read_subject(text)
    except BlastgitError:
        return
    assert read_subject(str(subject)) == subject
    assert subject.path.startswith(f"{subject.kind}/")


def test_what_was_said_travels_with_a_subset(history: Path, speak: Callable[..., Any], tmp_path: Path) -> None:
    plot = tmp_path / "plot.png"
    plot.write_bytes(b"\x89PNG")
    done = speak(history, "alice", ["2026dgt@0", "2026dgt"], comment="seen", attach=plot)
    speak(history, "alice", "2026dgt@1", comment="not of this subset")
    DataRepo(history).subset(tmp_path / "sub", ["2026dgt@0"])
    room = DataRepo(tmp_path / "sub").annotations
    assert {note.event.remark.comment for note in room.list().notes} == {"seen"}
    assert room.attachment(done.ids[0]) == ("plot.png", b"\x89PNG")
    assert room.identity == DataRepo(history).annotations.identity


def test_lines_of_another_version_are_passed_over(history: Path, speak: Callable[..., Any]) -> None:
    from blastgit.repository.edit import BranchEdit, commit_to_branch

    speak(history, "alice", "2026dgt@0", comment="seen")
    repository, path = DataRepo(history).session.repository, "revision/2026dgt/0.jsonl"
    later = show(history, path).encode().replace(b'"comment"', b'"mood"') + b"{\n" + show(history, path).encode()
    commit_to_branch(repository, "annotations", lambda _: BranchEdit({path: later}, "By hand"))
    found = DataRepo(history).annotations.list()
    assert ([note.event.remark.comment for note in found.notes], found.unread) == (["seen"], 2)


def test_a_repo_that_came_from_elsewhere_holds_to_its_policy(
    history: Path, clone: Callable[..., Path], speak: Callable[..., Any], set_main: Callable[..., None], me: str
) -> None:
    from blastgit.repository.hooks import install_hooks

    set_main(history, f"policy: {{roles: {{admin: [alice], annotator: [{me}]}}}}\n")
    moved = clone(history, "moved", "--mirror")
    assert speak(moved, "bob", "2026dgt@0", comment="a clone is checked when it pushes", dry_run=True).subjects == 1
    install_hooks(moved)
    with pytest.raises(Denied, match="bob is named as the author"):
        speak(moved, "bob", "2026dgt@0", comment="x", dry_run=True)
