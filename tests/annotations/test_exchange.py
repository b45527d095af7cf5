"""Annotations are exported and imported as text, with stable ids; lists of others can be imported."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from astropy.table import Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blastgit import DataRepo
from blastgit.annotations.exchange import read_rows
from blastgit.annotations.query import Filter
from blastgit.api.annotations import Annotations
from blastgit.errors import BlastgitError, Denied, InvalidInput, NotFound

IMAGE = "cutout_cdn/DES/DES_g.fits"


@pytest.fixture
def full(history: Path, speak: Callable[..., Any], tmp_path: Path) -> Path:
    """A repo in which something of each kind was said."""
    first = speak(history, "alice", ["2026dgt@0", f"2026dgt@1:{IMAGE}"], comment='two\nlines, "quoted" — é', flag="bad")
    speak(history, "alice", [], flag="good", supersedes=first.ids)
    speak(history, "qa-bot", ["2026dgt", "interval:2026-05-27T03:00:00Z/2026-05-27T04:00:00Z"], tags=("a", "b:c"))
    second = speak(history, "bob", "run:x/y", comment="oops", link="https://x.org/1")
    speak(history, "bob", [], comment="never mind", supersedes=second.ids, retract=True)
    return history


def everything(repo: Path) -> set[bytes]:
    return {note.event.line() for note in DataRepo(repo).annotations.list(Filter(history=True)).notes}


@pytest.mark.parametrize("form", ["jsonl", "ecsv"])
def test_out_and_in_again(full: Path, clone: Callable[..., Path], form: str) -> None:
    text = DataRepo(full).annotations.export(form=form)
    empty = clone(full, "empty", "--bare")
    DataRepo(empty).session.repository.git.references.delete("refs/heads/annotations")
    done = DataRepo(empty).annotations.take_in(text)
    assert done.subjects == 8
    assert everything(empty) == everything(full)
    assert DataRepo(empty).annotations.take_in(text).subjects == 0
    assert DataRepo(empty).annotations.export(form=form) == text


def test_astropy_reads_the_table(full: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.ecsv").write_bytes(DataRepo(full).annotations.export(form="ecsv"))
    table = Table.read(tmp_path / "notes.ecsv")
    assert len(table) == 8
    assert 'two\nlines, "quoted" — é' in list(table["comment"])
    assert table["retract"].dtype.kind == "b"
    assert sorted(set(table["subjects"])) == [1, 2]
    table["comment"][0] = "edited elsewhere"
    table.write(tmp_path / "again.ecsv")
    rows = read_rows((tmp_path / "again.ecsv").read_bytes())
    assert rows[0]["comment"] == "edited elsewhere"
    with pytest.raises(InvalidInput, match="with different content"):
        DataRepo(full).annotations.take_in((tmp_path / "again.ecsv").read_bytes())


def test_ids_of_subjects_follow_from_the_repo_and_the_name(full: Path, clone: Callable[..., Path]) -> None:
    room = DataRepo(full).annotations
    rows = [json.loads(line) for line in room.export().splitlines()]
    for row in rows:
        assert row["subject_id"] == str(uuid.uuid5(room.identity, row["subject"]))
        assert uuid.UUID(row["id"]).version == 5
    assert DataRepo(clone(full, "away")).annotations.identity == room.identity


def test_a_repo_may_keep_the_identity_that_it_came_from(history: Path, set_main: Callable[..., None]) -> None:
    before = DataRepo(history).annotations.identity
    set_main(history, "identity: 11111111-2222-5333-8444-555555555555\n")
    assert str(DataRepo(history).annotations.identity) == "11111111-2222-5333-8444-555555555555" != str(before)


def test_a_plain_list_of_others(room: Annotations, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    text = b'{"subject": "2026dgt@0", "flag": "bad", "comment": "bad focus"}\n{"subject": "2027new", "tags": ["x"]}\n\n'
    assert room.take_in(text).subjects == 2
    assert room.take_in(text).subjects == 0
    table = b"# %ECSV 1.0\n# ---\n# delimiter: ','\nsubject,flag,comment\n2026dgt@1,suspect,\"a, b\"\n"
    assert room.take_in(table).subjects == 1
    assert str(room.about("2026dgt@1").own) == "suspect"


def test_an_attachment_comes_along(
    full: Path, speak: Callable[..., Any], clone: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "plot.png").write_bytes(b"\x89PNG")
    done = speak(full, "alice", "2026dgt@0", attach=tmp_path / "plot.png")
    room = DataRepo(full).annotations
    empty = clone(full, "empty", "--bare")
    DataRepo(empty).session.repository.git.references.delete("refs/heads/annotations")
    with pytest.raises(InvalidInput, match=r"the attachment plot\.png is not here"):
        DataRepo(empty).annotations.take_in(room.export(form="ecsv"))
    DataRepo(empty).annotations.take_in(room.export())
    assert DataRepo(empty).annotations.attachment(done.ids[0]) == ("plot.png", b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (b"{}", InvalidInput, "annotation 1: it has no subject"),
        (b"[1]", InvalidInput, "line 1 is not a JSON object"),
        (b'{"subject": "2026dgt@0", "flag": "good"}\n{"subject"', InvalidInput, "line 2 is not JSON"),
        (
            b'{"subject": "2026dgt@0", "flag": "good"}\n{"subject": "2026dgt@8", "flag": "bad"}',
            NotFound,
            "annotation 2",
        ),
        (b'{"subject": "2026dgt@0", "flag": "awful"}', InvalidInput, "no flag 'awful'"),
        (b'{"subject": "2026dgt@0", "time": "2026-05-27T03:00:00", "flag": "bad"}', InvalidInput, "no zone"),
        (b'{"subject": "2026dgt@0", "magnitude": 3}', InvalidInput, "is not a key of an annotation"),
        (b"# %ECSV 1.0\n# ---\nsubject flag\n2026dgt@0\n", InvalidInput, "1 cells for 2 columns"),
        (b"# %ECSV 1.0\n# ---\n# delimiter: x\nsubject\n", InvalidInput, "not ECSV"),
        (b'# %ECSV 1.0\n# ---\nsubject\n"2026', InvalidInput, "cannot be read"),
    ],
)
def test_a_bad_row_among_good_ones_changes_nothing(
    history: Path, tree_of: Callable[..., Any], text: bytes, error: Any, words: str
) -> None:
    before = tree_of(history)
    with pytest.raises(error, match=words):
        DataRepo(history).annotations.take_in(text)
    assert tree_of(history) == before


def test_what_others_said_takes_a_relay(full: Path, set_main: Callable[..., None], me: str) -> None:
    text = DataRepo(full).annotations.export()
    DataRepo(full).session.repository.git.references.delete("refs/heads/annotations")
    set_main(full, "policy: {roles: {admin: [root-of-all], annotator: ['*'], relay: [nobody]}}\n")
    with pytest.raises(Denied, match="'relay'"):
        DataRepo(full).annotations.take_in(text)
    from blastgit.repository.edit import BranchEdit, commit_to_branch

    repository = DataRepo(full).session.repository
    settings = repository.main_file("blastgit.yaml").replace(b"relay: [nobody]", f"relay: [{me}]".encode())
    commit_to_branch(repository, "main", lambda _: BranchEdit({"blastgit.yaml": settings}, "Set"))
    assert DataRepo(full).annotations.take_in(text).subjects == 8


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.binary(max_size=80)
    | st.text(max_size=60).map(lambda text: b"# %ECSV 1.0\n# ---\n" + text.encode("utf-8", "ignore"))
)
def test_any_text_is_rows_or_an_error(data: bytes) -> None:
    try:
        rows = read_rows(data)
    except BlastgitError:
        return
    assert all(isinstance(row, dict) for row in rows)
