"""The tables of annotations, flags, metrics and attachments, updated from the files of the branch that changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pygit2

from blastgit.annotations.annotation import Annotation
from blastgit.annotations.branch import read_lines, tip_of
from blastgit.annotations.flags import Flags, FlagState
from blastgit.annotations.states import AnnotationStatus, annotation_states, flags_of
from blastgit.annotations.subjects import KINDS, Subject
from blastgit.index.rows import Rows, Values, naive
from blastgit.index.write import insert
from blastgit.plumbing.objects import undamaged
from blastgit.plumbing.trees import flatten, read_blob
from blastgit.repository.base import Repository

if TYPE_CHECKING:
    import duckdb

_WHOLE = "regexp_replace(subject, '^((revision|transient|reference):[^:]*):.*$', '\\1')"
"""The subject of a row without its part, in SQL."""


def remarks_tip(repository: Repository) -> str:
    """Return the tip of the branch `annotations`; "" if it does not exist."""
    tip = tip_of(repository)
    return "" if tip is None else str(tip.id)


def update_remarks(repository: Repository, connection: duckdb.DuckDBPyConnection, known: str) -> None:
    """Bring these tables up to date.

    Args:
        repository: The data repo.
        connection: The index being written.
        known: The commit from which the tables were made; "" to read everything.
    """
    vocabulary = Flags.of(repository.settings)
    tip = tip_of(repository)
    before = repository.git.get(known) if known else None
    is_part = isinstance(before, pygit2.Commit) and tip is not None
    rows = Rows()
    gone: set[str] = set()
    with undamaged("annotations"):
        paths = (
            _changed(repository, before, tip) if is_part and isinstance(before, pygit2.Commit) and tip else _all(tip)
        )
        for path in paths:
            data = b"" if tip is None else read_blob(tip.tree, path) or b""
            events, _ = read_lines(data, path)
            if isinstance(before, pygit2.Commit):
                old, _ = read_lines(read_blob(before.tree, path) or b"", path)
                gone |= {str(event.subject.whole) for event in (*events, *old)}
            _add(rows, events, vocabulary)
    for table in ("annotations", "flags", "metrics", "attachments"):
        if is_part:
            connection.execute(f"DELETE FROM {table} WHERE {_WHOLE} IN (SELECT unnest(?))", [sorted(gone)])  # noqa: S608
        else:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608
    insert(connection, rows)


def _all(tip: pygit2.Commit | None) -> Iterator[str]:
    if tip is not None:
        yield from filter(_is_of_remarks, (path for path, _ in flatten(tip.tree)))


def _changed(repository: Repository, before: pygit2.Commit, tip: pygit2.Commit) -> Iterator[str]:
    for delta in repository.git.diff(before, tip).deltas:
        yield from filter(_is_of_remarks, {delta.old_file.path, delta.new_file.path})


def _is_of_remarks(path: str) -> bool:
    return path.endswith(".jsonl") and path.partition("/")[0] in KINDS


def _add(rows: Rows, events: list[Annotation], vocabulary: Flags) -> None:
    notes = annotation_states(events)
    rows.add("annotations", map(_note, notes))
    rows.add("metrics", [_metric(note) for note in notes if note.event.remark.metric])
    rows.add("attachments", [_attachment(note) for note in notes if note.event.remark.attachment])
    rows.add("flags", [_flag(subject, state) for subject, state in flags_of(notes, vocabulary).items()])


def _note(note: AnnotationStatus) -> Values:
    event, remark = note.event, note.event.remark
    tags = f" {' '.join(remark.tags)} " if remark.tags else None
    return (
        event.id, *_about(event.subject), naive(event.time), event.user, "bot" if event.is_bot else "human",
        remark.comment or None, remark.flag or None, tags, remark.link or None, note.state,
    )  # fmt: skip


def _metric(note: AnnotationStatus) -> Values:
    metric = note.event.remark.metric
    assert metric is not None
    return *_place(note), metric.key, float(metric.value), metric.unit or None, *_source(note)


def _attachment(note: AnnotationStatus) -> Values:
    attached = note.event.remark.attachment
    assert attached is not None
    return *_place(note), attached.type or None, attached.name, attached.size, attached.sha256, *_source(note)


def _place(note: AnnotationStatus) -> Values:
    subject, _, _, transient, number, part = _about(note.event.subject)
    return note.event.id, subject, transient, number, part


def _source(note: AnnotationStatus) -> Values:
    return note.event.user, naive(note.event.time), note.state


def _flag(subject: Subject, state: FlagState) -> Values:
    return *_about(subject), state.value, state.is_disputed, state.by_bots


def _about(subject: Subject) -> Values:
    """Return subject, kind, name, transient, revision and part."""
    transient, number = None, None
    if subject.kind == "revision":
        transient, number = subject.revision
    elif subject.kind == "transient":
        transient = subject.name
    return str(subject), subject.kind, subject.name, transient, number, subject.part or None
