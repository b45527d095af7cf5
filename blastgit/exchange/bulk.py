"""Record revision 0 of many transients at once: one pack, one sync, one transaction of refs for all of them.

The order of writes is that of `record.py`, and so are all bytes written: contents, objects, one sync, then the refs.
Each transient's lock is held throughout, so that other writers of it wait; after a crash, the journals in the locks
record what was going on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from blastgit.datasets.storage import Placement
from blastgit.errors import BlastgitError
from blastgit.exchange.seen import Look
from blastgit.exchange.sources import Found, Opened, opened
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.locks import BRIEFLY, Journal, Lock, hold
from blastgit.plumbing.ref_update import RefMoved
from blastgit.plumbing.turnstile import publishing
from blastgit.recording.options import RecordOptions
from blastgit.recording.record import Prepared, Recording
from blastgit.recording.shared import Said, said_by, update_shared
from blastgit.repository.base import Repository
from blastgit.repository.history import History
from blastgit.repository.recovery import clean_up_dead_writer, roll_forward
from blastgit.store.intake import Intake
from blastgit.store.source import AnySource, as_source
from blastgit.store.taking import Taking, can_be_rewritten, refuse_if_rewritable

ADOPTED, PRESENT, SKIPPED = "adopted", "present", "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for one transient.

    Attributes:
        name: The transient, or the archive that should have held one.
        status: "adopted", "present" (already there, and equal) or "skipped".
        reason: Why it was skipped.
        files: How many files it has.
        size: Their size in bytes.
        source: The file of its export, or its archive.
        stamp: The times and size of that file; see `exchange/seen.py`.
        look: Digests of the times and sizes of its data files, likewise.
        ignored: How many leftovers of other programs were among them.
        rewritable: How many files taken in place could still be rewritten.
    """

    name: str
    status: str
    reason: str = ""
    files: int = 0
    size: int = 0
    source: str = ""
    stamp: list[int] = field(default_factory=list)
    look: Look = field(default_factory=dict)
    ignored: int = 0
    rewritable: int = 0

    def of(self, source: str, seen: Opened) -> Outcome:
        """Return this with the stamp and look of its source."""
        return replace(self, source=source, stamp=seen.stamp, look=seen.look, ignored=len(seen.files.ignored))


@dataclass(frozen=True)
class _Ready:
    outcome: Outcome
    lock: Lock
    prepared: Prepared
    said: Sequence[Said]


@dataclass(frozen=True, slots=True)
class BulkOptions:
    """How to adopt.

    Attributes:
        run: The RUN collection that the revisions are born into.
        taking: How to take files, a value of `Taking`.
        store: The store for all files; "" to apply the storage rules.
        dry_run: Check everything, but write nothing.
    """

    run: str
    taking: str = Taking.COPY
    store: str = ""
    dry_run: bool = False


def adopt(repository: Repository, found: Sequence[Found], how: BulkOptions) -> list[Outcome]:
    """Record revision 0 of each transient that is not there yet; a faulty one does not stop the others.

    Args:
        repository: The data repo, on this machine.
        found: The transients, about fifty: they all become visible at the same moment.
        how: The run that they are born into, and so on.

    Raises:
        RepoError: The repo cannot be written; none of them was adopted.
        StoreError: The store fails; none of them was adopted.
    """
    outcomes: list[Outcome] = []
    ready: list[_Ready] = []
    batch = Batch(repository.git)
    with ExitStack() as stack:
        if not how.dry_run:
            stack.enter_context(publishing(repository.guarded_folders))
        for each in sorted(found, key=lambda one: one.name):  # in a fixed order, to avoid a deadlock of two imports
            try:
                done = _foresee(repository, each, how) if how.dry_run else _prepare(repository, each, how, batch, stack)
            except BlastgitError as error:
                if error.kind in ("store", "repo"):
                    raise
                done = Outcome(each.name, SKIPPED, str(error), source=each.source)
            if isinstance(done, Outcome):
                outcomes.append(done)
            else:
                ready.append(done)
        if ready:
            for one in ready:
                one.lock.announce_moves(one.prepared.updates)
            outcomes += _publish(repository, ready, batch)
            update_shared(repository, (said for one in ready for said in one.said), ready[0].lock)
    return outcomes


def _publish(repository: Repository, ready: Sequence[_Ready], batch: Batch) -> list[Outcome]:
    """Move all refs together or, if one was moved by somebody else, those of each transient separately."""
    try:
        updates = [update for one in ready for update in one.prepared.updates]
        locks = [one.lock.descriptor for one in ready]
        synced = repository.store.synced_folders()
        repository.update_refs(updates, "blastgit import", *locks, objects=batch, synced=synced)
        return [one.outcome for one in ready]
    except RefMoved as error:
        if len(ready) == 1:
            return [Outcome(ready[0].outcome.name, SKIPPED, f"somebody else was first: {error}")]
    return [outcome for one in ready for outcome in _publish(repository, [one], batch)]


def _prepare(
    repository: Repository, found: Found, how: BulkOptions, batch: Batch, stack: ExitStack
) -> Outcome | _Ready:
    with ExitStack() as own:
        seen = own.enter_context(opened(found))
        export = seen.export
        lock = own.enter_context(hold(repository.lock_path(export.name), BRIEFLY))
        files = Placement.of(repository).kept(seen.files)
        intake = own.enter_context(Intake(repository.store, files, taking=Taking(how.taking)))
        clean_up_dead_writer(repository, lock)
        roll_forward(repository, export.name, lock)
        recording = Recording(repository, export, intake, RecordOptions(how.run, store=how.store))
        if History(repository).tip(export.name) is not None:
            return _compared(recording, export.name).of(found.source, seen)
        lock.announce(Journal.own([intake.folder]))
        prepared = recording.prepare_next(batch, lock)
        if prepared is None:  # there is no branch yet, but an equal draft
            return Outcome(export.name, PRESENT).of(found.source, seen)
        stack.push(own.pop_all().__exit__)
        outcome = Outcome(export.name, ADOPTED, "", len(files), prepared.size, rewritable=_rewritable(files, how))
        said = [] if recording.form is None else list(said_by(repository, export, recording.form))
        return _Ready(outcome.of(found.source, seen), lock, prepared, said)


def _foresee(repository: Repository, found: Found, how: BulkOptions) -> Outcome:
    with opened(found) as seen:
        name, files = seen.export.name, Placement.of(repository).kept(seen.files)
        with Intake(repository.store, files) as intake:
            recording = Recording(repository, seen.export, intake, RecordOptions(how.run))
            if History(repository).tip(name) is not None:
                return _compared(recording, name).of(found.source, seen)
            if recording.preview().status == "unchanged":
                return Outcome(name, PRESENT).of(found.source, seen)
            if how.taking == Taking.HARDLINK:
                for file in files.values():
                    refuse_if_rewritable(file)
            size = sum(as_source(source).size for source in files.values())
            outcome = Outcome(name, ADOPTED, "", len(files), size, rewritable=_rewritable(files, how))
            return outcome.of(found.source, seen)


def _rewritable(files: Mapping[str, AnySource], how: BulkOptions) -> int:
    """Return how many files taken in place could be rewritten after publication."""
    if how.taking != Taking.INPLACE:
        return 0
    return sum(can_be_rewritten(file) for file in files.values() if isinstance(file, Path))


def _compared(recording: Recording, name: str) -> Outcome:
    now = recording.preview()
    if now.status == "unchanged":
        return Outcome(name, PRESENT)
    return Outcome(name, SKIPPED, f"it is here already, and differs from revision {now.revision - 1}: {now.reason}")
