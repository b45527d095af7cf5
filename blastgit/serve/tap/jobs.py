"""Async queries as jobs of UWS 1.1: kept in memory, results in files; limited in number and in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from blastgit.errors import BlastgitError, Busy, NotFound, OverLimit, UsageError
from blastgit.serve.tap.limits import ServiceLimits
from blastgit.serve.tap.request import Parameters
from blastgit.serve.tap.workers import Stop


class Phase(StrEnum):
    """The phase of a job."""

    PENDING = "PENDING"
    QUEUED = "QUEUED"
    EXECUTING = "EXECUTING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    ABORTED = "ABORTED"

    @property
    def is_active(self) -> bool:
        """Whether the job is queued or running, so that it will end by itself."""
        return self in (Phase.QUEUED, Phase.EXECUTING)

    @property
    def is_over(self) -> bool:
        """Whether the job has ended."""
        return self in (Phase.COMPLETED, Phase.ERROR, Phase.ABORTED)


def now() -> datetime:
    """Return the current time in UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Finished:
    """The result of a job.

    Attributes:
        path: Its file.
        mime: Its MIME type.
        size: Bytes.
    """

    path: Path
    mime: str
    size: int


@dataclass
class Job:
    """One job; only `Jobs` changes it.

    Attributes:
        id: Its identifier, which nobody can guess.
        parameters: The parameters of the query.
        base: The URL of the service when the job was created.
        seconds: How long it may run.
        until: When it is deleted.
        run_id: The name that the client gave it.
    """

    id: str
    parameters: Parameters
    base: str
    seconds: float
    until: datetime
    run_id: str = ""
    phase: Phase = Phase.PENDING
    created: datetime = field(default_factory=now)
    started: datetime | None = None
    ended: datetime | None = None
    error: str = ""
    result: Finished | None = None
    stop: Stop = field(default_factory=Stop)


Work = Callable[[Job], Finished]


class Jobs:
    """The jobs of a service."""

    def __init__(self, work: Work, limits: ServiceLimits) -> None:
        """Start without jobs; `work` runs one."""
        self._work = work
        self._limits = limits
        self._jobs: dict[str, Job] = {}
        self._changed = threading.Condition()
        self._pool = ThreadPoolExecutor(limits.at_once, thread_name_prefix="job")
        self._waiters = threading.BoundedSemaphore(limits.waiters)
        self._is_closed = False

    def create(self, parameters: Parameters, base: str) -> Job:
        """Create a job, which waits to be started.

        Raises:
            Busy: There are too many.
        """
        until = now() + timedelta(seconds=self._limits.retention)
        job = Job(uuid4().hex, parameters, base, self._limits.most_seconds, until, parameters.one("RUNID") or "")
        with self._changed:
            self._forget_old()
            if len(self._jobs) >= self._limits.jobs:
                self._make_room()
            self._jobs[job.id] = job
        return job

    def get(self, name: str) -> Job:
        """Return a job.

        Raises:
            NotFound: The job does not exist, or it was deleted.
        """
        with self._changed:
            self._forget_old()
            if name not in self._jobs:
                raise NotFound("there is no such job, or it was deleted")
            return self._jobs[name]

    def start(self, job: Job) -> None:
        """Start a job; its parameters are checked when its turn comes.

        Raises:
            UsageError: The job was started before.
        """
        with self._changed:
            if job.phase != Phase.PENDING:
                raise UsageError(f"the job is {job.phase}: only one that is PENDING can be started")
            self._enter(job, Phase.QUEUED)
        self._pool.submit(self._do, job)

    def abort(self, job: Job) -> None:
        """Stop a job; a job that has ended is not changed."""
        with self._changed:
            if not job.phase.is_over:
                self._enter(job, Phase.ABORTED)
        job.stop.set()

    def delete(self, job: Job) -> None:
        """Stop a job and delete it, with its result."""
        self.abort(job)
        with self._changed:
            self._drop(job)

    def change(self, job: Job, parameters: Parameters) -> None:
        """Change the parameters of a job.

        Raises:
            UsageError: The job was started.
        """
        with self._changed:
            if job.phase != Phase.PENDING:
                raise UsageError(f"the job is {job.phase}: only one that is PENDING takes other parameters")
            job.parameters = job.parameters.updated(parameters)
            job.run_id = parameters.one("RUNID") or job.run_id

    def set_seconds(self, job: Job, text: str) -> None:
        """Set how long a job may run; 0 means as long as possible.

        Raises:
            UsageError: The value is not a number, or the job was started.
        """
        if not text.strip().isascii() or not text.strip().isdigit() or len(text) > 15:
            raise UsageError(f"EXECUTIONDURATION is a number of seconds, not {text[:80]!r}")
        with self._changed:
            if job.phase != Phase.PENDING:
                raise UsageError(f"the job is {job.phase}: its time can be set only before it is started")
            most = self._limits.most_seconds
            job.seconds = min(float(text) or most, most)

    def set_until(self, job: Job, text: str) -> None:
        """Set when a job is deleted; at most as late as the service keeps jobs.

        Raises:
            UsageError: The value is not a time.
        """
        try:
            asked = datetime.fromisoformat(text.strip())
            asked = asked.replace(tzinfo=UTC) if asked.tzinfo is None else asked.astimezone(UTC)
        except (ValueError, OverflowError):
            raise UsageError(f"DESTRUCTION is a time such as 2026-07-01T12:00:00Z, not {text[:80]!r}") from None
        with self._changed:
            job.until = min(asked, job.created + timedelta(seconds=self._limits.retention))
            self._forget_old()

    def wait(self, job: Job, seconds: float, phase: str | None) -> None:
        """Wait until the phase of a job changes, if it can change by itself, but only for a limited time.

        Args:
            job: The job.
            seconds: How long at most; negative for as long as the service allows.
            phase: The last phase that the client knows; None for the current one.
        """
        most = self._limits.waiting
        deadline = time.monotonic() + (most if seconds < 0 else min(seconds, most))
        if not self._waiters.acquire(blocking=False):
            return
        try:
            with self._changed:
                known = phase or job.phase
                while job.phase == known and not job.phase.is_over and not self._is_closed:
                    left = deadline - time.monotonic()
                    if left <= 0 or not self._changed.wait(left):
                        return
        finally:
            self._waiters.release()

    def close(self) -> None:
        """Stop all jobs."""
        with self._changed:
            self._is_closed = True
            jobs = list(self._jobs.values())
            self._changed.notify_all()
        for job in jobs:
            self.abort(job)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _do(self, job: Job) -> None:
        with self._changed:
            if job.phase != Phase.QUEUED:
                return
            job.started = now()
            self._enter(job, Phase.EXECUTING)
            kept = sum(each.result.size for each in self._jobs.values() if each.result is not None)
        try:
            if kept > self._limits.results:
                raise OverLimit("this service holds too many results: try again later, or as a sync query")
            result = self._work(job)
        except BlastgitError as error:
            self._fail(job, str(error))
        except Exception:
            self._fail(job, "something went wrong that should not have; the service's keeper finds it in its log")
            raise
        else:
            self._finish(job, result)

    def _finish(self, job: Job, result: Finished) -> None:
        with self._changed:
            if job.phase == Phase.EXECUTING and self._jobs.get(job.id) is job:
                job.result = result
                self._enter(job, Phase.COMPLETED)
            else:
                result.path.unlink(missing_ok=True)

    def _fail(self, job: Job, why: str) -> None:
        with self._changed:
            if job.phase == Phase.EXECUTING:
                job.error = why
                self._enter(job, Phase.ERROR)

    def _enter(self, job: Job, phase: Phase) -> None:
        job.phase = phase
        if phase.is_over:
            job.ended = now()
        self._changed.notify_all()

    def _forget_old(self) -> None:
        moment = datetime.now(UTC)
        for job in [job for job in self._jobs.values() if job.until <= moment]:
            if not job.phase.is_over:
                self._enter(job, Phase.ABORTED)
                job.stop.set()
            self._drop(job)

    def _make_room(self) -> None:
        """Delete the oldest job that was never started; jobs that were started are kept for their users."""
        pending = next((job for job in self._jobs.values() if job.phase == Phase.PENDING), None)
        if pending is None:
            raise Busy("this service keeps as many jobs as it can: delete one of yours, or try again later")
        self._enter(pending, Phase.ABORTED)
        self._drop(pending)

    def _drop(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        if job.result is not None:
            job.result.path.unlink(missing_ok=True)
