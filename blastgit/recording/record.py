"""Recording the state of a transient: deciding whether it is a new revision, and writing it.

The order of writes is what makes it safe (`docs/architecture.md`):

1. the transient's lock, with a journal of what may be left behind;
2. contents into the store, each complete under a temporary name, then renamed;
3. git objects: pointers, document, trees, commit, tag, in a quarantine;
4. one sync of the file systems, after which all of it survives a power cut; meanwhile git locks tag and branch;
5. the objects leave the quarantine, and git moves both refs, in one compare-and-swap transaction;
6. one more sync, after which the refs survive a power cut, too.

Until 5 nothing is visible; after a crash within 5 the next writer or reader completes it (`recovery.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import pygit2

from blastgit.datasets.storage import Placement
from blastgit.errors import Busy, Withdrawn
from blastgit.naming.names import document_of
from blastgit.naming.refs import REFERENCE_BRANCHES, branch_ref, draft_ref, run_ref, tag_name, tag_ref
from blastgit.plumbing.locks import Journal, hold
from blastgit.plumbing.ref_update import RefMoved, RefUpdate
from blastgit.plumbing.turnstile import publishing
from blastgit.progress import Progress, silent
from blastgit.recording.decide import Decision, decide
from blastgit.recording.options import RecordOptions
from blastgit.recording.result import Recorded
from blastgit.recording.sources import Gathered
from blastgit.repository.due import start_if_due
from blastgit.repository.history import History
from blastgit.repository.lines import before_of
from blastgit.repository.recovery import add_tag, clean_up_dead_writer, roll_forward
from blastgit.repository.simulated import check_simulated
from blastgit.repository.skeleton import dot_files
from blastgit.revision.dr import write_dr
from blastgit.store.intake import Intake

if TYPE_CHECKING:
    from blastgit.plumbing.batch import Batch
    from blastgit.plumbing.locks import Lock
    from blastgit.recording.drafting import Drafting, Kept
    from blastgit.recording.placement import StoredFile
    from blastgit.recording.replay import Ending
    from blastgit.recording.wording import Wording
    from blastgit.repository.base import Repository
    from blastgit.revision.export import Export
    from blastgit.revision.normalise import NaturalForm
    from blastgit.store.source import AnySource


def record(
    repository: Repository,
    export: Export,
    sources: Mapping[str, AnySource],
    options: RecordOptions,
    progress: Progress = silent,
) -> Recorded:
    """Record the state of a transient given by `export` and the files in `sources`.

    Args:
        repository: The data repo.
        export: The checked export.
        sources: The location of each file, by path in the dataset.
        options: How to record.
        progress: Called with bytes hashed and copied.

    Raises:
        InvalidInput: The input cannot be recorded; the repo is unchanged.
        Denied: The policy on main does not allow this user to record the transient.
        Busy: Another writer of the same transient did not finish in time.
        StoreError: The store fails; nothing was recorded.
        RepoError: The repo cannot be written.
    """
    if has_shared(export, options):
        repository.expect(REFERENCE_BRANCHES)
    repository.tip(options.line(export.name))  # first, since a remote repo fetches main along with it
    kept = Placement.of(repository).kept(sources)
    recorded = record_from(repository, export, Intake(repository.store, kept, progress), options)
    return replace(recorded, ignored=sources.ignored) if isinstance(sources, Gathered) else recorded


def record_from(repository: Repository, export: Export, intake: Intake, options: RecordOptions) -> Recorded:
    """Record as `record` does, for a caller that has fetched the transient, from an intake of any kind."""
    if options.run is not None:
        from blastgit.collections.runs import check_run_name

        check_run_name(repository, options.run)  # before any file is read
    if options.dry_run:
        recording = Recording(repository, export, intake, options)
        with intake:
            foreseen = recording.preview()
        if recording.form is None or not has_shared(export, options):
            return foreseen
        from blastgit.recording.shared import foresee_shared, said_by

        said = said_by(repository, export, recording.form)
        return replace(foreseen, references=tuple(foresee_shared(repository, said)))
    repository.require_line(options.line(export.name))
    repository.prepare_to_write()
    with hold(repository.lock_path(export.name), options.timeout) as lock, intake:
        clean_up_dead_writer(repository, lock)
        lock.announce(Journal.own([intake.folder]))
        if repository.is_here:
            roll_forward(repository, options.line(export.name), lock)
        recording = Recording(repository, export, intake, options)
        recorded = recording.write(lock)
        if has_shared(export, options) and recording.form is not None:
            from blastgit.recording.shared import said_by, update_shared

            made = update_shared(repository, said_by(repository, export, recording.form), lock)
            recorded = replace(recorded, references=tuple(made))
    start_if_due(repository)
    return recorded


def has_shared(export: Export, options: RecordOptions) -> bool:
    """Whether to record the filters and surveys in an export: not from a user's own line."""
    return not export.is_reference and options.user is None


@dataclass(frozen=True)
class Prepared:
    """A new state whose contents are in the store and whose objects are in a batch; its refs have not moved yet.

    Attributes:
        commit: Its commit.
        updates: The refs to move once everything is durable.
        size: Bytes of the files that were stored.
        draft: The draft that it is kept as; None if it is a revision.
    """

    commit: str
    updates: list[RefUpdate]
    size: int
    draft: Kept | None = None


class Recording:
    """One recording of a state into a line of revisions, under the lock of its transient.

    Attributes:
        form: The natural form of the state, once the decision is made.
    """

    form: NaturalForm | None = None

    def __init__(self, repository: Repository, export: Export, intake: Intake, options: RecordOptions) -> None:
        self._repository = repository
        self._export = check_simulated(export, repository)
        self._intake = intake
        self._options = options
        self._history = History(repository)
        self._name = options.line(export.name)
        self._is_own = options.user is not None
        self._place = replace(Placement.of(repository), fixed=options.store)
        self._returning: list[str] = []

    @cached_property
    def _wording(self) -> Wording:
        from blastgit.recording.wording import Wording

        return Wording(self._repository, self._export, self._options)

    @cached_property
    def _drafting(self) -> Drafting:
        from blastgit.recording.drafting import Drafting

        return Drafting(self._repository, self._export, self._intake, self._options)

    def preview(self) -> Recorded:
        """Decide, but write nothing."""
        decision = self._decide()
        if not decision.is_new:
            return self._unchanged(decision, None)
        from blastgit.recording.replay import Ending

        kept = self._drafting.look(decision, self._wording.status(Ending(self._repository, self._name, None)))
        return self._recorded(decision, None) if kept is None else self._drafting.result(decision, kept)

    def write(self, lock: Lock) -> Recorded:
        """Decide, and write the result."""
        self._intake.begin(staging=self._history.tip(self._name) is None)
        for _ in self._repository.attempts(self._options.timeout):
            tip = self._history.tip(self._name)
            decision = self._decide()
            if self._leaves_nothing(decision):
                return self._unchanged(decision, None)
            ending = self._ending(lock)
            try:
                if decision.is_new:
                    return self._write_new(decision, tip, ending, lock)
                return self._unchanged(decision, self._mark_reproduction(decision, tip, ending, lock))
            except RefMoved:
                continue  # a push came in between: compare with the new state
        seconds = self._options.timeout
        raise Busy(f"others kept moving {self._name} for {seconds:g} s: try again when they are done")

    def _leaves_nothing(self, decision: Decision) -> bool:
        """Whether nothing has to be written: the state was published before, and no run or draft ends."""
        if decision.is_new or not decision.is_same_export or self._options.run is not None or self._options.used:
            return False
        return all(self._repository.reference(ref) is None for ref in (run_ref(self._run_line), draft_ref(self._name)))

    def _write_new(self, decision: Decision, tip: pygit2.Commit | None, ending: Ending, lock: Lock) -> Recorded:
        kept = self._drafting.look(decision, self._wording.status(ending))
        if kept is not None and not kept.is_new:
            ending.drop(lock)
            return self._drafting.result(decision, kept)
        from blastgit.plumbing.batch import Batch

        batch = Batch(self._repository.git)
        with publishing(self._repository.guarded_folders):
            prepared = self._prepare(batch, decision, tip, ending, kept)
            lock.announce_moves(prepared.updates)
            what = f"revision {decision.number}" if kept is None else f"a draft of revision {decision.number}"
            synced, words = self._repository.store.synced_folders(), f"blastgit record: {what}"
            self._repository.update_refs(prepared.updates, words, lock.descriptor, objects=batch, synced=synced)
        if kept is None:
            return self._recorded(decision, prepared.commit)
        return self._drafting.result(decision, kept, prepared.commit)

    def _ending(self, lock: Lock) -> Ending:
        """Return how the run in progress ends."""
        from blastgit.recording.replay import Ending

        return Ending.of(self._repository, self._run_line, self._options.owner, lock)

    @property
    def _run_line(self) -> str:
        """The line whose run in progress ends with this recording; a promotion ends no run of the official line."""
        return self._name if self._options.origin is None else self._options.origin.name

    def _decide(self) -> Decision:
        latest = self._history.latest(self._name)
        if latest is None:
            from blastgit.repository.casefold import refuse_case_collision

            refuse_case_collision(self._repository, self._name)
        before = before_of(self._repository, self._name, latest, self._options.fork) if self._is_own else latest
        decision = decide(self._repository, self._export, self._intake, before)
        self.form = decision.form
        if latest is None and before is not None:
            decision = replace(decision, is_fork=True)
        if decision.is_new:
            self._returning = self._check_returning(decision)
        if self._options.run is not None:
            from blastgit.collections.runs import check_membership

            tip = self._history.tip(self._name)
            check_membership(self._repository, self._options.run, self._name, tip, decision.number)
        return decision

    def _check_returning(self, decision: Decision) -> list[str]:
        """Return a sentence for each file that republishes withdrawn content.

        Raises:
            Withdrawn: There are such files, and `even_withdrawn` was not given.
        """
        from blastgit.repository.tombstones import check_returning

        found = list(check_returning(self._repository, self._export.name, decision.sha256).values())
        if found and not self._options.even_withdrawn:
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            raise Withdrawn(
                f"{found[0]}{more}; nothing was recorded. Fix what makes it, or ask an admin to republish it "
                "(--even-withdrawn)"
            )
        if found:
            self._repository.require("admin", self._name)
        return [f"published again: {text}" for text in found]

    def _recorded(self, decision: Decision, commit: str | None) -> Recorded:
        files, fields, number = list(decision.changes.files), list(decision.changes.fields), decision.number
        before = None if decision.latest is None else str(decision.latest)
        return Recorded(
            "recorded", self._name, number, tag_name(self._name, number), commit, decision.reason, files, fields,
            before=before, redrawn=decision.changes.deviation,
        )  # fmt: skip

    def _unchanged(self, decision: Decision, marker: str | None) -> Recorded:
        latest = decision.latest
        assert latest is not None
        files = list(decision.changes.files)
        name, number, before = latest.name, latest.number, str(latest)
        held = "" if marker is None or self._options.run is None else f", which {self._options.run} holds now"
        return Recorded(
            "unchanged", name, number, latest.tag, latest.id, f"{decision.reason}{held}", files, [], marker, before,
            redrawn=decision.changes.deviation,
        )  # fmt: skip

    def prepare_next(self, batch: Batch, lock: Lock) -> Prepared | None:
        """Put the contents of the next state into the store, and its objects into a batch shared by several lines.

        Returns:
            The state, whose refs the caller moves (`exchange/bulk.py`, `shared.py`); None if it is not new.

        Raises:
            InvalidInput: The input cannot be recorded.
            StoreError: The store fails.
        """
        tip = self._history.tip(self._name)
        self._intake.begin(staging=tip is None)
        decision, ending = self._decide(), self._ending(lock)
        if not decision.is_new:
            return None
        kept = self._drafting.look(decision, self._wording.status(ending))
        if kept is not None and not kept.is_new:
            return None
        return self._prepare(batch, decision, tip, ending, kept)

    def _prepare(
        self, batch: Batch, decision: Decision, tip: pygit2.Commit | None, ending: Ending, draft: Kept | None
    ) -> Prepared:
        from blastgit.recording.placement import keep

        looked_into = [path for path in decision.incoming if not decision.rules.is_derived(path)]
        notes = self._intake.probe(looked_into)  # before fetched files move into the store
        kept = keep(self._intake, batch, self._place, [*decision.incoming, *self._lost(decision)])
        tree, size = batch.tree(self._blobs(batch, decision, kept)), sum(file.size for file in kept.values())
        notes = [*notes, *self._returning]
        run = self._options.run
        if draft is not None:
            message = self._wording.draft(decision, kept, notes, draft.ordinal, ending)
            commit = self._commit(batch, message, tree, ending.replay(batch, draft.tip, decision.latest, run))
            return Prepared(commit, [draft.moved_to(commit), *ending.updates], size, draft)
        message = self._wording.revision(decision, kept, notes, len(self._returning), ending)
        after = decision.latest.commit if decision.is_fork and decision.latest is not None and tip is None else tip
        commit = self._commit(batch, message, tree, ending.replay(batch, after, decision.latest, run))
        name = tag_name(self._name, decision.number)
        tag = add_tag(batch, name, commit, self._committer, self._wording.reason(decision))
        updates = [
            RefUpdate(tag_ref(self._name, decision.number), tag),
            RefUpdate(branch_ref(self._name), commit, None if tip is None else str(tip.id)),
            *ending.updates,
        ]
        return Prepared(commit, updates, size)

    def _lost(self, decision: Decision) -> list[str]:
        """Return the unchanged files whose content the store has lost: a tag promises all files."""
        if decision.latest is None:
            return []
        latest = decision.latest
        unchanged = decision.sha256.keys() - set(decision.incoming)
        kept = {path: latest.pointer(path).md5 for path in unchanged if not latest.held[path].in_git}
        absent = self._repository.store.missing(kept.values())
        sources = self._intake.hash_all()
        return [path for path, md5 in kept.items() if md5 in absent and sources[path] == decision.sha256[path]]

    def _blobs(self, batch: Batch, decision: Decision, kept: Mapping[str, StoredFile]) -> dict[str, pygit2.Oid]:
        blobs = {path: batch.blob(data) for path, data in dot_files(self._repository.config).items()}
        checksums = {path: f"sha256:{digest}" for path, digest in decision.sha256.items()}
        before = {} if decision.latest is None else decision.latest.held
        blobs.update(kept[path].held if path in kept else before[path] for path in decision.sha256)
        blobs[document_of(self._name)] = batch.blob(write_dr(self._export, decision.number, checksums))
        return blobs

    @cached_property
    def _committer(self) -> pygit2.Signature:
        """Who records and when: the same for a commit and its tag, so that either can be rebuilt from the other."""
        return self._repository.committer()

    def _mark_reproduction(
        self, decision: Decision, tip: pygit2.Commit | None, ending: Ending, lock: Lock
    ) -> str | None:
        from blastgit.plumbing.batch import Batch
        from blastgit.recording.evidence import Evidence

        latest, batch = decision.latest, Batch(self._repository.git)
        assert latest is not None
        evidence = Evidence(self._repository, self._export, decision, ending)
        is_noted = tip is None or decision.is_fork or not evidence.is_news(self._name, self._options)
        draft = self._drafting.open()
        if is_noted and draft is None:
            ending.drop(lock)
            return None
        message, marker, updates = self._wording.reproduction(decision, evidence.ran, ending), None, []
        if tip is not None and not is_noted:
            marker = self._commit(batch, message, latest.commit.tree_id, [tip.id])
            updates.append(RefUpdate(branch_ref(self._name), marker, str(tip.id)))
        if draft is not None:  # the published values are reproduced, so the draft is obsolete
            over = self._commit(batch, message, latest.commit.tree_id, [draft.commit.id])
            updates.append(RefUpdate(draft_ref(self._name), over, draft.id))
        updates += ending.updates
        lock.announce_moves(updates)
        self._repository.update_refs(updates, "blastgit record: reproduction", lock.descriptor, objects=batch)
        return marker

    def _commit(self, batch: Batch, message: str, tree: pygit2.Oid, parents: list[pygit2.Oid]) -> str:
        committer = self._committer
        author = pygit2.Signature(committer.name, committer.email, int(self._export.time.timestamp()), 0)
        return str(batch.commit((author, committer), message, tree, parents))
