"""The end of a run as part of a recording: its markers go onto the branch before the revision, and its ref is deleted.

If the branch has moved since the run began, the markers are rebased: each holds the latest revision with what the
stages up to it made. A run without new results is simply dropped.
"""

from __future__ import annotations

import pygit2

from blastgit.errors import DamagedData
from blastgit.naming.names import slug
from blastgit.naming.refs import run_ref
from blastgit.naming.trailers import Trailer, read_body
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.locks import Lock
from blastgit.plumbing.objects import ZERO
from blastgit.plumbing.ref_update import RefUpdate
from blastgit.plumbing.trees import flatten
from blastgit.recording.stage_output import write_state
from blastgit.repository.base import Repository
from blastgit.repository.commits import Marker, Revision, Snapshot
from blastgit.repository.skeleton import dot_files
from blastgit.revision.dr import write_dr
from blastgit.revision.export import check_export
from blastgit.revision.part import carry_over
from blastgit.workflow.lease import margin_of, repo_time
from blastgit.workflow.markers import DONE, UNFINISHED, Mark, Run, RunMarker
from blastgit.workflow.validity import Ending as StageEnding
from blastgit.workflow.validity import ending_of


class Ending:
    """What a recording does with its transient's run in progress: nothing if somebody is still working on a stage.

    Attributes:
        run: The run that ends, or None.
    """

    def __init__(self, repository: Repository, name: str, run: Run | None) -> None:
        """End a run, if one is in progress."""
        self._repository = repository
        self._name = name
        self.run = run

    @classmethod
    def of(cls, repository: Repository, name: str, owner: str | None, lock: Lock) -> Ending:
        """Find the run in progress that ends with a recording.

        Args:
            repository: The data repo.
            name: The transient.
            owner: Who records; their own leases end with the run.
            lock: The transient's lock, held by the caller.
        """
        return cls(repository, name, _ending_run(repository, name, owner, lock))

    @property
    def trailers(self) -> dict[Trailer, str | None]:
        """The trailer of the commit that ends the run, by which recovery recognises a crash right after it."""
        return {Trailer.WORKFLOW: None if self.run is None else self.run.tip}

    @property
    def marks(self) -> dict[str, StageEnding]:
        """How each stage of the run ended, by its slug, as in the markers on the branch."""
        kept = [] if self.run is None else [mark for _, mark in _kept(self.run)]
        return {slug(mark.stage): ending_of(mark.outcome, mark.reason, mark.began) for mark in kept}

    @property
    def used(self) -> tuple[str, ...]:
        """The revisions of references that stages of the run say they were done with."""
        kept = [] if self.run is None else [mark for _, mark in _kept(self.run)]
        return tuple(dict.fromkeys(each for mark in kept for each in mark.used))

    @property
    def done(self) -> dict[str, Snapshot]:
        """The markers of the stages that succeeded, by slug, in the order in which they ended."""
        kept = [] if self.run is None else _kept(self.run)
        return {
            slug(mark.stage): Snapshot(self._repository.git, self._name, marker.commit)
            for marker, mark in kept
            if mark.outcome == DONE
        }

    @property
    def updates(self) -> list[RefUpdate]:
        """The update that deletes the run's ref."""
        return [] if self.run is None else [RefUpdate(run_ref(self._name), ZERO, self.run.tip)]

    def replay(
        self, batch: Batch, tip: pygit2.Commit | None, latest: Revision | None, collection: str | None
    ) -> list[pygit2.Oid]:
        """Add the run's markers to a batch, one per stage, and return the parents of the revision that follows them.

        Args:
            batch: The objects of the revision.
            tip: The tip of the transient's branch.
            latest: Its latest revision.
            collection: The RUN collection of the revision.
        """
        parents = [] if tip is None else [tip.id]
        if self.run is None:
            return parents
        number = 0 if latest is None else latest.number + 1
        trees = _Trees(self._repository, batch, self.run, number, latest)
        for marker, mark in _kept(self.run):
            tree = trees.of(marker, ended=mark.outcome != UNFINISHED)
            extra = {Trailer.RUN: collection, Trailer.APP_VERSION: Marker(marker.commit).app_version}
            message = mark.message(self._name, read_body(marker.commit.message)[1], extra)
            signatures = marker.commit.author, self._repository.committer()
            parents = [batch.commit(signatures, message, tree, parents)]
        return parents

    def drop(self, lock: Lock) -> None:
        """Remove the run's ref."""
        if self.updates:
            lock.announce_moves(self.updates)
            self._repository.update_refs(self.updates, "blastgit: the run ended", lock.descriptor)


def _ending_run(repository: Repository, name: str, owner: str | None, lock: Lock) -> Run | None:
    """Return the run that ends, or None. A damaged run is left alone, so that it does not prevent recording."""
    try:
        run = Run.of(repository, name)
    except DamagedData:
        return None
    now, margin = repo_time(lock), margin_of(repository)
    leases = {} if run is None else run.leases
    is_busy = any(lease.owner != owner and not lease.is_over(now, margin) for lease in leases.values())
    return None if is_busy else run


def _kept(run: Run) -> list[tuple[RunMarker, Mark]]:
    """Return the markers of a run to keep: the last ending of each stage, and stages that never ended."""
    by_id = {each.id: each for each in run.markers}
    open_ones = [by_id[lease.token] for lease in run.leases.values()]
    again = {lease.stage for lease in run.leases.values()}
    ended = [(each, _told(run, each, each.mark.outcome)) for each in run.endings if each.mark.stage not in again]
    return [*ended, *((each, _told(run, each, UNFINISHED)) for each in open_ones)]


def _told(run: Run, marker: RunMarker, outcome: str) -> Mark:
    mark = marker.mark
    reason = mark.reason if outcome == mark.outcome else None
    attempts = max(1, run.attempts(mark.stage))
    return Mark(mark.stage, outcome, mark.owner, mark.host, mark.began, None, reason, attempts, mark.used)


class _Trees:
    """The trees of the replayed markers: the original ones if nothing moved since the run began."""

    def __init__(self, repository: Repository, batch: Batch, run: Run, number: int, latest: Revision | None) -> None:
        self._repository = repository
        self._batch = batch
        self._run = run
        self._number = number
        self._before = Snapshot(repository.git, run.name, run.markers[0].commit)
        self._last = self._before.commit.tree_id
        self._is_moved = number != run.towards or not self._has_dot_files(self._before)
        if self._is_moved:
            start = self._before if latest is None else latest
            self._document, self._files = start.dr.export.document, dict(start.dr.files)
            self._held = dict(start.held)
            self._last = self._write()

    def of(self, marker: RunMarker, *, ended: bool) -> pygit2.Oid:
        """Return the tree of a marker; that of a stage that did not end is the previous marker's."""
        if ended:
            self._last = self._moved(self._state(marker)) if self._is_moved else marker.commit.tree_id
        return self._last

    def _state(self, marker: RunMarker) -> Snapshot:
        return Snapshot(self._repository.git, self._run.name, marker.commit)

    def _has_dot_files(self, state: Snapshot) -> bool:
        blobs = dict(flatten(state.commit.tree))
        return all(blobs.get(path) == pygit2.hash(data) for path, data in dot_files(self._repository.config).items())

    def _moved(self, state: Snapshot) -> pygit2.Oid:
        """Apply to the current tree what was made between the previous marker and this one."""
        before, self._before = self._before, state
        old, new = before.dr, state.dr
        self._document = carry_over(self._document, old.export.document, new.export.document)
        for path in old.files.keys() - new.files.keys():
            self._held.pop(path, None)
            self._files.pop(path, None)
        for path, held in state.held.items():
            if before.held.get(path) != held:
                self._held[path], self._files[path] = held, new.files[path]
        return self._write()

    def _write(self) -> pygit2.Oid:
        export = check_export(self._document, "what the stages made")
        document = write_dr(export, self._number, self._files)
        return write_state(self._batch, self._run.name, self._repository.config, self._held.values(), document)
