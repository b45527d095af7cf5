"""Read the rows of a transient's branch, for revisions that the index does not have yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import pygit2

from blastgit.errors import BlastgitError, DamagedData
from blastgit.index.changes import RevisionRows, changes
from blastgit.index.extract import Document, file_row, read_document
from blastgit.index.made_with import DeclaredReferences
from blastgit.index.rows import Rows, Values, naive
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.objects import undamaged
from blastgit.repository.base import Repository
from blastgit.repository.commits import Marker, Revision
from blastgit.repository.entries import TreeEntry
from blastgit.repository.hosts import Hosts
from blastgit.revision.document import Json, nonfinite_name
from blastgit.revision.dr import DatasetRevision
from blastgit.revision.export import Export
from blastgit.revision.normalise import normalise
from blastgit.store.pointer import Pointer
from blastgit.workflow.ended import COMPLETE, is_known_fresh
from blastgit.workflow.judging import validity_of
from blastgit.workflow.validity import State, Validity

_NUMBER = re.compile(r"[0-9]{1,18}")
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, LookupError, RecursionError)


@dataclass(frozen=True, slots=True)
class Line:
    """A transient's branch that moved.

    Attributes:
        name: The transient.
        tip: Its tip now.
        known: The commit up to which the index has read it; "" for none.
    """

    name: str
    tip: str
    known: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """The result of reading some branches.

    Attributes:
        rows: The rows of their new revisions.
        renewed: Transients whose old rows must be deleted, since their history has changed.
        filters: The latest definition of each filter.
    """

    rows: Rows
    renewed: list[str]
    filters: dict[str, Values]


def read_lines(repository: Repository, lines: Sequence[Line]) -> Read:
    """Return the rows of all revisions of some branches that the index does not have yet."""
    return _Reader(repository).read(lines)


class _Reader:
    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._rules = repository.rules
        self._hosts = Hosts.of(repository.settings)
        self._used = DeclaredReferences(repository)
        self._rows = Rows()
        self._filters: dict[str, Values] = {}
        self._pointers: dict[TreeEntry, Pointer] = {}

    def read(self, lines: Sequence[Line]) -> Read:
        renewed = []
        for line in lines:
            self._pointers.clear()
            try:
                if self._line(line):
                    renewed.append(line.name)
            except BlastgitError as error:
                self._rows.damaged[line.name] = str(error)
        return Read(self._rows, renewed, self._filters)

    def _line(self, line: Line) -> bool:
        """Read one branch; return whether its old rows in the index must be deleted."""
        again: list[Marker] = []
        found, before, is_known = self._new(line, again)
        is_open = before is not None and (self._used.is_needed or not is_known_fresh(before))
        if before is not None and is_open and any(a.reproduces == before.number for a in again):
            self._line(replace(line, known=""))  # parts may no longer be out of date, or be made with another model
            return True
        latest = found[-1].number if found else before and before.number
        for marker in again:
            front = (line.name, marker.reproduces, marker.reproduces == latest)
            self._rows.add("reproductions", [_facts_again(marker)], front)
        if not found:
            return bool(line.known) and not is_known
        state = None
        if before is not None:
            state = self._state(
                Revision(self._repository.git, line.name, before.commit, before.number or 0), is_new=False
            )
        for revision in found:
            state = self._add(revision, state, is_latest=revision is found[-1])
        return bool(line.known) and not is_known

    def _new(self, line: Line, again: list[Marker]) -> tuple[list[Revision], Marker | None, bool]:
        """Return the revisions after the known commit, the one before them, and whether the known commit was found.

        The reproductions after that commit are added to `again`.
        """
        found: list[Revision] = []
        with undamaged(line.name):
            tip = self._repository.git[line.tip].peel(pygit2.Commit)
        is_known = False
        for commit in self._repository.commits(line.name, tip):
            marker = Marker(commit)
            is_known = is_known or str(commit.id) == line.known
            if marker.number is not None:
                if is_known:
                    return found[::-1], marker, True
                found.append(Revision(self._repository.git, line.name, commit, marker.number))
            elif marker.reproduces is not None and not is_known:
                again.append(marker)
        return found[::-1], None, is_known

    def _add(self, revision: Revision, before: RevisionRows | None, *, is_latest: bool) -> RevisionRows | None:
        """Add the rows of a revision, and return them for comparison with the next one."""
        front = (revision.name, revision.number, is_latest)
        state = self._state(revision)
        about = state.about if state else (None,) * 14
        status = state.status if state else revision.trailers.get(Trailer.STATUS)
        is_late = None if state is None else any(row[1] == State.OUTDATED.value for row in state.tables["stages"])
        self._rows.add("revisions", [(*front, *_commit_facts(revision, status, is_late), *about)])
        if state is None:
            return None
        for table, rows in state.tables.items():
            self._rows.add(table, rows, front)
        self._rows.add("made_with", self._used.rows(revision, state), front)
        if before is not None:
            self._rows.add("changes", [(what,) for what in changes(before, state, self._rules)], front)
        if is_latest:
            for row in state.filters:
                if row[0] not in self._filters or _later(row, self._filters[row[0]]):
                    self._filters[row[0]] = row
        return state

    def _state(self, revision: Revision, *, is_new: bool = True) -> RevisionRows | None:
        """Return the rows of a revision; None if it cannot be read, which is noted.

        The pointers of one that is not new are not read, since it is only compared with.
        """
        try:
            raw = read_document(revision.dr_bytes)
            document = Document(raw, self._hosts)
            tables = document.tables()
            tables["files"] = list(self._files(revision, raw["files"], is_new=is_new))
            judged = self._judged(revision, raw)
            tables["stages"] = [(*each.values(),) for each in judged.to_json()]
            tables["nonfinite"] = list(self._nonfinite(revision, raw))
            return RevisionRows(document.transient(), judged.status, tables, document.filters())
        except DamagedData as error:
            self._rows.damaged[str(revision)] = str(error)
        except _UNREADABLE as error:
            self._rows.damaged[str(revision)] = f"this version cannot read its document ({error!r:.200})"
        return None

    def _files(self, revision: Revision, checksums: Mapping[str, Json], *, is_new: bool) -> Iterator[Values]:
        held = revision.held if is_new else {}
        for path, checksum in checksums.items():
            pointer = self._pointer(revision, path) if path in held else None
            size, md5 = (None, None) if pointer is None else (pointer.size, pointer.md5)
            yield file_row(path, checksum.removeprefix("sha256:"), size, md5)

    def _pointer(self, revision: Revision, path: str) -> Pointer:
        held = revision.held[path]
        pointer = self._pointers.get(held)  # most files are unchanged from the previous revision
        if pointer is None:
            pointer = self._pointers[held] = revision.pointer(path)
        return pointer

    def _judged(self, revision: Revision, raw: dict[str, Json]) -> Validity:
        export = Export(raw, revision.name, revision.time, revision.app_version)
        revision.dr = DatasetRevision(export, revision.number, raw["files"], b"")  # to avoid parsing it again
        return validity_of(self._repository, revision, fully=True)

    def _nonfinite(self, revision: Revision, raw: dict[str, Json]) -> Iterator[Values]:
        """Yield the values that are NaN or infinite, by natural path; hardly any document has one."""
        if raw["metadata"].get("nonfinite"):
            export = Export(raw, revision.name, revision.time, revision.app_version)
            for path, value in normalise(export, self._rules).values.items():
                if isinstance(value, float) and not isfinite(value):
                    yield path, nonfinite_name(value)


def _commit_facts(revision: Revision, status: str | None, is_late: bool | None) -> Values:
    said = revision.trailers
    return (
        str(revision), naive(revision.time), naive(revision.recorded), revision.app_version, status == COMPLETE,
        status, is_late, revision.reason, said.get(Trailer.RUN), revision.id, said.get(Trailer.SCIENCE_DIGEST),
        _number(said.get(Trailer.FILES)), _number(said.get(Trailer.BYTES)),
    )  # fmt: skip


def _facts_again(marker: Marker) -> Values:
    times = naive(marker.time), naive(marker.recorded)
    return marker.app_version or None, marker.trailers.get(Trailer.RUN), *times, marker.id


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def _later(row: Values, other: Values) -> Any:
    return row[-1] is not None and (other[-1] is None or row[-1] > other[-1])
