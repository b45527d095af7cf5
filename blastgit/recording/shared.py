"""Filters and surveys, which many transients share: their lines are updated from recorded exports.

An export has the row of each filter it uses. If the row differs from the latest revision of the filter's line and the
export is later, it becomes a new revision of the line. This happens after the recording itself: no recording fails
because of it or waits for another one with the same filter, and what was not finished (after a crash, or because
somebody else moved the ref) is left to the next recording. If two recordings find the same change at once, they make
one revision, since refs only move from where they were seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from blastgit.errors import BlastgitError, InvalidName
from blastgit.naming.names import reference_line
from blastgit.naming.refs import branch_ref, tag_of
from blastgit.plumbing.locks import Lock
from blastgit.plumbing.ref_update import RefMoved, RefUpdate
from blastgit.progress import silent
from blastgit.recording.options import RecordOptions
from blastgit.recording.record import Recording
from blastgit.recording.run_end import StoredIntake
from blastgit.repository.base import Repository
from blastgit.repository.history import History
from blastgit.repository.references import ReferenceTypes
from blastgit.revision.document import Json
from blastgit.revision.export import Export
from blastgit.revision.normalise import NaturalForm
from blastgit.revision.reference import fields_of, make_reference
from blastgit.revision.rules import Table
from blastgit.store.intake import Intake

if TYPE_CHECKING:
    from blastgit.plumbing.batch import Batch

_TRIES = 3
_KEPT = 4096  # number of lines whose contents a process caches, by commit


@dataclass(frozen=True)
class Said:
    """The row of one reference in an export.

    Attributes:
        line: The reference, `r/filter/DES_z`.
        table: The table of the row.
        fields: Its fields, by name.
        time: When the export was written.
        app_version: The version of Blast that wrote it.
    """

    line: str
    table: Table
    fields: Mapping[str, Json]
    time: datetime
    app_version: str


def update_shared(repository: Repository, said: Iterable[Said], lock: Lock) -> list[str]:
    """Update the lines of filters and surveys from exports; return the new tags.

    This never fails: what cannot be done now is left to the next recording.

    Args:
        repository: The data repo.
        said: The rows of exports that were recorded or found unchanged; see `said_by`.
        lock: A lock held by the caller, whose journal announces the moves.
    """
    made: list[str] = []
    with suppress(BlastgitError):
        latest = _latest(said)
        for _ in range(_TRIES):
            try:
                made = _update(repository, latest, lock)
                break
            except RefMoved:
                repository.refresh()
    return made


def foresee_shared(repository: Repository, said: Iterable[Said]) -> Iterator[str]:
    """Yield the tags that `update_shared` would make."""
    with suppress(BlastgitError):
        for each, known in _news(repository, _latest(said)):
            recording, intake = _recording(repository, each, known, RecordOptions(dry_run=True))
            with intake:
                found = recording.preview()
            if found.status == "recorded" and found.tag is not None:
                yield found.tag


def said_by(repository: Repository, export: Export, form: NaturalForm) -> Iterator[Said]:
    """Yield the row of each filter and survey in an export, given its natural form."""
    rules = repository.rules
    for table, type_ in ReferenceTypes.of(repository.settings).exported().items():
        for row in form.tables[table]:
            with suppress(InvalidName):  # a name that cannot be a ref stays in the exports only
                line = reference_line(type_.name, str(row.key[0]))
                fields = {name: value for name, value in row.values.items() if name != "name"}
                if row.twin == 1:
                    yield Said(line, rules.tables[table], fields, export.time, export.app_version)


def _latest(said: Iterable[Said]) -> dict[str, Said]:
    """Return the latest row of each line."""
    found: dict[str, Said] = {}
    for each in said:
        if each.line not in found or found[each.line].time < each.time:
            found[each.line] = each
    return found


def _update(repository: Repository, said: Mapping[str, Said], lock: Lock) -> list[str]:
    news = list(_news(repository, said))
    if not news:
        return []
    from blastgit.plumbing.batch import Batch

    batch = Batch(repository.git)
    updates = [update for each, known in news for update in _prepare(repository, each, known, batch, lock)]
    lock.announce_moves(updates)
    repository.update_refs(updates, "blastgit record: what exports say", lock.descriptor, objects=batch)
    return [tag for update in updates if (tag := tag_of(update.ref))]


def _news(repository: Repository, said: Mapping[str, Said]) -> Iterator[tuple[Said, _Known | None]]:
    """Yield what a line does not say yet, with what it says."""
    tips = repository.look_up(map(branch_ref, said))
    history = History(repository)
    for line, each in said.items():
        tip = tips.get(branch_ref(line))
        known = None if tip is None else _known(history, line, str(tip.target))
        if known is None or (each.time > known.time and _merged(each, known.fields) != known.fields):
            yield each, known


def _merged(said: Said, fields: Mapping[str, Json]) -> dict[str, Json]:
    """Return the current fields of a reference: those of the export, and those that people added by hand."""
    return {**{name: value for name, value in fields.items() if not said.table.knows(name)}, **said.fields}


@dataclass(frozen=True, slots=True)
class _Known:
    """The latest revision of a line.

    Attributes:
        fields: Its fields.
        time: Its time.
    """

    fields: Mapping[str, Json]
    time: datetime


_remembered: dict[str, _Known] = {}


def _known(history: History, line: str, tip: str) -> _Known | None:
    """Return the latest revision of a line, cached per process: commits never change."""
    found = _remembered.get(tip)
    if found is None:
        latest = history.latest(line)
        if latest is None:
            return None
        found = _Known(fields_of(latest.dr.export), latest.dr.export.time)
        if len(_remembered) >= _KEPT:
            _remembered.clear()
        _remembered[tip] = found
    return found


def _prepare(repository: Repository, said: Said, known: _Known | None, batch: Batch, lock: Lock) -> list[RefUpdate]:
    """Add the next revision of a line to a batch, and return its ref updates; none if it is equal by the rules."""
    recording, intake = _recording(repository, said, known, RecordOptions())
    with intake:
        prepared = recording.prepare_next(batch, lock)
    return [] if prepared is None else prepared.updates


def _recording(
    repository: Repository, said: Said, known: _Known | None, options: RecordOptions
) -> tuple[Recording, Intake]:
    """Return the recording of what is said into its line, with the files that are there already."""
    fields = _merged(said, {} if known is None else known.fields)
    export = make_reference(said.line, fields, said.time, said.app_version)
    latest = History(repository).latest(said.line)
    intake = Intake(repository.store, {}) if latest is None else StoredIntake(repository, latest, silent)
    return Recording(repository, export, intake, options), intake
