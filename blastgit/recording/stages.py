"""Beginning, finishing and failing the stages of a transient's run, each with a marker under `refs/workflow/NAME`.

A marker is written like a revision (`record.py`): contents into the store, git objects, one sync, then the ref by
compare-and-swap. A worker that is killed therefore leaves the previous marker intact, and a lease that expires.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pygit2

from blastgit.datasets.storage import Placement
from blastgit.errors import Busy, DamagedData, InvalidInput, LostLease, UsageError
from blastgit.naming.refs import run_ref
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.locks import Journal, Lock, hold
from blastgit.plumbing.objects import ZERO
from blastgit.plumbing.ref_update import RefMoved, RefUpdate
from blastgit.plumbing.safe_text import one_line
from blastgit.plumbing.turnstile import publishing
from blastgit.progress import Progress, silent
from blastgit.recording.stage_output import Made, NextState, Overlay, Part, first_state
from blastgit.repository.base import LOCK_TIMEOUT, Repository
from blastgit.repository.commits import StageState
from blastgit.repository.due import start_if_due
from blastgit.repository.history import History
from blastgit.repository.question import Asked
from blastgit.repository.recovery import clean_up_dead_writer, roll_forward
from blastgit.store.intake import Intake
from blastgit.workflow.lease import LENGTH, LONGEST, Lease, margin_of, repo_time, this_machine
from blastgit.workflow.made_with import check_used
from blastgit.workflow.markers import BEGUN, DONE, FAILED, NO_BASE, Mark, Run
from blastgit.workflow.stages import Stages

if TYPE_CHECKING:
    from blastgit.recording.result import Recorded
    from blastgit.workflow.status import RunStatus

_FIRST_WAIT, _LONGEST_WAIT, _PATIENCE = 0.02, 1.0, 8.0  # seconds; a remote repo is asked less often


class Workflow(Asked):
    """A transient's run, returned by `DataRepo.workflow`.

    Attributes:
        name: The transient.
        owner: The owner of the run: the same for all its workers, and unique to it.
    """

    def __init__(self, repository: Repository, name: str, owner: str, progress: Progress = silent) -> None:
        """Prepare to mark stages of a transient.

        Raises:
            InvalidInput: The owner is not a valid name.
        """
        if not owner.strip() or one_line(owner) != owner or len(owner) > 200:
            raise InvalidInput(f"{owner!r:.80} cannot name an owner: give one line of at most 200 characters")
        self._repository = repository
        self._progress = progress
        self._tokens: dict[str, str] = {}
        self.name = name
        self.owner = owner

    def begin(self, stage: str, *, lease: timedelta = LENGTH, wait: float = 0.0) -> Lease:
        """Begin a stage and take its lease; the same owner renews the lease by calling this again.

        Args:
            stage: The stage, one of those that the data repo declares.
            lease: For how long nobody else may take it over.
            wait: Seconds to wait for another run of this transient to end its stages, or its leases to end.

        Raises:
            Busy: Another run of this transient is working on a stage.
            NotFound: No such stage is declared.
        """
        if not timedelta() < lease <= LONGEST:
            raise UsageError(f"a lease of {lease} is out of range: give more than 0 and at most {LONGEST.days} days")
        name = self._known(stage)
        deadline, pause = time.monotonic() + wait, _FIRST_WAIT
        while True:
            try:
                return self._begin(name, lease)
            except Busy:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            self._repository.refresh()
            pause = min(2 * pause, _LONGEST_WAIT if self._repository.is_here else _PATIENCE)

    def finish(  # noqa: PLR0913 (what a stage makes has parts: rows, files, which of them, what it was made with)
        self,
        stage: str,
        *,
        export: Part = None,
        data: Path | None = None,
        only: Sequence[str] = (),
        used: Sequence[str] = (),
        token: str | None = None,
    ) -> StageState:
        """Mark a stage as succeeded, and record its output. Everything else stays as in the previous marker.

        Args:
            stage: The stage, which this owner has begun.
            export: An export, or only the rows and fields that the stage made.
            data: The folder of `cutout_cdn/NAME/…` and `sed_output/NAME/…`; known files are quick to check.
            only: Patterns of the files in it that the stage made; by default all.
            used: The revisions of references that it used; by default the latest ones.
            token: The lease from `begin`, if another object or process began the stage.

        Raises:
            LostLease: Somebody else has taken the stage over, or ended it.
            InvalidInput: The output cannot be recorded, or the stage has not begun.
        """
        return self._end(self._known(stage), DONE, None, self._made(export, data, only, used), token)

    def fail(  # noqa: PLR0913 (a failed stage has the same output as a successful one)
        self,
        stage: str,
        reason: str,
        *,
        export: Part = None,
        data: Path | None = None,
        only: Sequence[str] = (),
        used: Sequence[str] = (),
        token: str | None = None,
    ) -> StageState:
        """Mark a stage as failed, with the reason; see `finish`."""
        if not reason.strip():
            raise InvalidInput("say why the stage failed: people who look for its results will read it")
        told = one_line(" ".join(reason.split()))[:500]
        return self._end(self._known(stage), FAILED, told, self._made(export, data, only, used), token)

    @contextmanager
    def stage(self, stage: str, *, lease: timedelta = LENGTH, wait: float = 0.0) -> Iterator[Callable[..., None]]:
        """Run a stage: begin it, and finish it at the end of the context, or fail it with the exception raised there.

        Yields:
            A function to call, once or more, with the output of the stage; see `finish`.
        """
        self.begin(stage, lease=lease, wait=wait)
        brought = Made()

        def bring(
            *,
            export: Part = None,
            data: Path | None = None,
            only: Sequence[str] = (),
            used: Sequence[str] = (),
        ) -> None:
            nonlocal brought
            brought = brought.and_then(self._made(export, data, only, used))

        try:
            yield bring
        except BaseException as error:
            self._end(self._known(stage), FAILED, _in_words(error), brought, None)
            raise
        self._end(self._known(stage), DONE, None, brought, None)

    def end(self, *, run: str | None = None, timeout: float = LOCK_TIMEOUT, used: Sequence[str] = ()) -> Recorded:
        """End the run and record the results of its stages: a new revision if they differ from the latest.

        `DataRepo.record` also ends a run, with an export and files of its own.

        Args:
            run: The RUN collection of the new revision.
            timeout: Seconds to wait for another writer of the same transient.
            used: The revisions of references that the run used, unless its stages named them.

        Raises:
            NotFound: No run is in progress, or a revision of a reference does not exist.
            Busy: Another owner is still working on a stage of it.
            InvalidInput: The stages did not make a whole export, or a file that it names.
        """
        from blastgit.recording.options import RecordOptions
        from blastgit.recording.run_end import end

        said = check_used(self._repository, used)
        options = RecordOptions(run, timeout=timeout, owner=self.owner, used=said)
        return end(self._repository, self.name, options, self._progress)

    def drop(self) -> bool:
        """Discard the run in progress with the output of its stages; return whether there was one.

        Raises:
            Busy: Another owner is working on a stage of it.
        """
        with self._held() as lock:
            reference = self._repository.reference(run_ref(self.name))
            if reference is None:
                return False
            with suppress(DamagedData):  # a damaged run is of no use to other owners
                self._refuse_others(Run.of(self._repository, self.name), repo_time(lock))
            update = RefUpdate(run_ref(self.name), ZERO, str(reference.target))
            lock.announce_moves([update])
            self._repository.update_refs([update], "blastgit: the run was dropped", lock.descriptor)
        self._tokens.clear()
        return True

    def status(self) -> RunStatus | None:
        """Return the status of the run in progress; None if there is no run."""
        from blastgit.workflow.status import status_of

        return status_of(self._repository, self.name)

    def _made(self, export: Part, data: Path | None, only: Sequence[str], used: Sequence[str]) -> Made:
        said = check_used(self._repository, used)
        return replace(Made.read(self.name, export, data, only), used=said)

    def _known(self, stage: str) -> str:
        self._repository.tip(self.name)  # first, since a remote repo fetches main along with it
        name: str = Stages.of(self._repository.settings).find(stage).name
        return name

    def _begin(self, stage: str, length: timedelta) -> Lease:
        repository = self._repository
        with self._held() as lock:
            for _ in repository.attempts(LOCK_TIMEOUT):
                run = Run.of(repository, self.name)
                now = repo_time(lock)
                self._refuse_others(run, now)
                before = None if run is None or self._is_obsolete(run, now) else run
                attempts = 1 if before is None else before.attempts(stage) + 1
                mark = Mark(stage, BEGUN, self.owner, this_machine(), now, now + length, attempts=attempts)
                state = (
                    first_state(repository, self.name, self._now())
                    if before is None
                    else _unchanged(repository, before)
                )
                try:
                    token = self._add(lock, run, before, mark, state)
                except RefMoved:
                    continue
                self._tokens[stage] = token
                return Lease(stage, self.owner, mark.host, now, now + length, token, attempts)
        raise self._overtaken()

    def _end(self, stage: str, outcome: str, reason: str | None, made: Made, token: str | None) -> StageState:
        repository = self._repository
        files = Placement.of(repository).kept(made.files)
        with Intake(repository.store, files, self._progress) as intake:
            intake.hash_all()  # before the lock, so that concurrent stages do not wait for it
            with self._held() as lock:
                lock.announce(Journal.own([intake.folder]))
                for _ in repository.attempts(LOCK_TIMEOUT):
                    run = Run.of(repository, self.name)
                    lease = self._own_lease(run, stage, token)
                    assert run is not None
                    mark = Mark(stage, outcome, self.owner, lease.host, lease.began, reason=reason, used=made.used)
                    try:
                        with publishing(repository.guarded_folders):
                            state = Overlay(repository, mark, made, intake).over(run.state, self._now())
                            commit = self._add(lock, run, run, mark, state, [intake.folder])
                    except RefMoved:
                        continue
                    self._tokens.pop(stage, None)
                    start_if_due(repository)
                    return StageState(
                        repository.git, self.name, repository.git[commit].peel(pygit2.Commit), run.towards
                    )
        raise self._overtaken()

    def _own_lease(self, run: Run | None, stage: str, token: str | None) -> Lease:
        """Return the lease of a stage, if this owner still holds it and it has the right token."""
        wanted = token or self._tokens.get(stage)
        lease = None if run is None else run.leases.get(stage)
        if lease is None:
            if wanted is None:
                raise InvalidInput(f"{stage} of {self.name} is not in progress: begin it first")
            raise LostLease(f"somebody else has ended {stage} of {self.name}, or its run")
        if lease.owner != self.owner or (wanted is not None and lease.token != wanted):
            raise LostLease(f"this run has lost {stage} of {self.name}: {lease}; its output was not recorded")
        return lease

    def _refuse_others(self, run: Run | None, now: datetime) -> None:
        margin = margin_of(self._repository)
        for lease in () if run is None else run.leases.values():
            if lease.owner != self.owner and not lease.is_over(now, margin):
                raise Busy(
                    f"another run of {self.name} is in progress: {lease}, whose lease lasts until "
                    f"{lease.until:%Y-%m-%d %H:%M:%S} UTC; wait, or see `blastgit status {self.name}`"
                )

    def _is_obsolete(self, run: Run, now: datetime) -> bool:
        """Whether a run was abandoned and its transient has a newer revision, so that its output is outdated."""
        latest = History(self._repository).latest(self.name)
        is_overtaken = latest is not None and latest.number >= run.towards
        return is_overtaken and all(lease.is_over(now, margin_of(self._repository)) for lease in run.leases.values())

    @contextmanager
    def _held(self) -> Iterator[Lock]:
        repository = self._repository
        repository.require("writer", self.name)
        repository.prepare_to_write()
        with hold(repository.lock_path(self.name), LOCK_TIMEOUT) as lock:
            clean_up_dead_writer(repository, lock)
            if repository.is_here:
                roll_forward(repository, self.name, lock)
            yield lock

    def _add(  # noqa: PLR0913, PLR0917 (a commit has many parts)
        self,
        lock: Lock,
        there: Run | None,
        before: Run | None,
        mark: Mark,
        state: NextState,
        folders: Sequence[Path] = (),
    ) -> str:
        """Add a marker to the run `before`, or begin a new run, replacing the one that is `there`."""
        repository, ref = self._repository, run_ref(self.name)
        tip = History(repository).tip(self.name)
        parent = tip if before is None else before.state.commit
        base = (None if tip is None else str(tip.id)) if before is None else before.base
        message = mark.message(
            self.name, state.lines, {Trailer.APP_VERSION: state.app_version, Trailer.BASE: base or NO_BASE}
        )
        who = repository.committer()
        parents = [] if parent is None else [parent.id]
        commit = str(state.batch.commit((who, who), message, state.tree, parents))
        lock.announce(Journal.own(folders, {ref: commit}))
        update = RefUpdate(ref, commit, None if there is None else there.tip)
        synced = repository.store.synced_folders()
        repository.update_refs([update], f"blastgit: {mark.words}", lock.descriptor, objects=state.batch, synced=synced)
        return commit

    def _now(self) -> str:
        return datetime.fromtimestamp(self._repository.committer().time, UTC).isoformat()

    def _overtaken(self) -> Busy:
        return Busy(f"others kept moving the run of {self.name} for {LOCK_TIMEOUT:g} s: try again when they are done")


def _unchanged(repository: Repository, run: Run) -> NextState:
    return NextState(Batch(repository.git), run.state.commit.tree_id, run.state.app_version)


def _in_words(error: BaseException) -> str:
    return one_line(" ".join(f"{type(error).__name__}: {error}".split()))[:500].rstrip(": ")
