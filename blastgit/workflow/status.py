"""The status of runs in progress: which stages ended, which are at work, and which never ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from blastgit.errors import DamagedData
from blastgit.naming.refs import RUNS, branch_ref
from blastgit.repository.base import Repository
from blastgit.repository.history import History
from blastgit.workflow.lease import Lease, margin_of, reading_time
from blastgit.workflow.markers import Run, RunMarker, judged
from blastgit.workflow.stages import Stages

NOT_BEGUN, AT_WORK, NEVER_ENDED = "not begun", "at work", "never ended"


@dataclass(frozen=True)
class StageStatus:
    """The status of a stage in a run.

    Attributes:
        stage: The stage.
        state: "done", "failed", "answered" (a finding, which is not a failure), "at work", "never ended" (its lease is
            over), or "not begun".
        owner: Whose run began it.
        host: The machine.
        began: When it began (UTC).
        until: When its lease ends or ended, if the stage has not ended.
        reason: Why it failed.
        attempts: How many times it has begun.
        marker: The commit of its marker.
    """

    stage: str
    state: str
    owner: str | None = None
    host: str | None = None
    began: datetime | None = None
    until: datetime | None = None
    reason: str | None = None
    attempts: int = 0
    marker: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "stage": self.stage, "state": self.state, "owner": self.owner, "host": self.host,
            "began": _text(self.began), "until": _text(self.until), "reason": self.reason, "attempts": self.attempts,
            "marker": self.marker,
        }  # fmt: skip


@dataclass(frozen=True)
class RunStatus:
    """The status of a run in progress.

    Attributes:
        transient: Its transient.
        towards: The number of the revision that it may become.
        began: When its first stage began (UTC).
        latest: The number of the transient's latest revision, or None.
        stages: The status of each declared stage, in order.
        damage: Why the run cannot be read, or None.
    """

    transient: str
    towards: int | None
    began: datetime | None
    latest: int | None
    stages: tuple[StageStatus, ...]
    damage: str | None = None

    @property
    def never_ended(self) -> list[StageStatus]:
        """The stages whose leases have expired without a result."""
        return [each for each in self.stages if each.state == NEVER_ENDED]

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "transient": self.transient, "towards": self.towards, "began": _text(self.began), "latest": self.latest,
            "stages": [each.to_json() for each in self.stages], "damage": self.damage,
        }  # fmt: skip


def status_of(repository: Repository, name: str, now: datetime | None = None) -> RunStatus | None:
    """Return the status of a transient's run in progress, or None."""
    run = Run.of(repository, name)
    if run is None:
        return None
    moment = reading_time(repository) if now is None else now
    stages = Stages.of(repository.settings)
    found: dict[str, StageStatus] = {each.mark.stage: _ended(run, each, stages) for each in run.endings}
    for stage, lease in run.leases.items():
        found[stage] = _open(lease, is_over=lease.is_over(moment, margin_of(repository)))
    declared = [stage.name for stage in stages]
    names = [*declared, *(stage for stage in found if stage not in declared)]
    standing = tuple(found.get(stage, StageStatus(stage, NOT_BEGUN)) for stage in names)
    latest = History(repository).latest(name)
    began = run.markers[0].mark.began
    return RunStatus(name, run.towards, began, None if latest is None else latest.number, standing)


def all_statuses(repository: Repository, pattern: str = "*") -> list[RunStatus]:
    """Return the status of the runs in progress of transients that match a shell pattern, sorted by name."""
    now = reading_time(repository)
    found = []
    names = [name for name in runs_in_progress(repository) if fnmatchcase(name, pattern)]
    repository.look_up(map(branch_ref, names))  # all at once
    for name in names:
        try:
            status = status_of(repository, name, now)
        except DamagedData as error:
            status = RunStatus(name, None, None, None, (), str(error))
        found += [] if status is None else [status]
    return found


def runs_in_progress(repository: Repository) -> list[str]:
    """Return the sorted names of all transients with a run in progress. Reads every ref: not for a hot path."""
    return sorted(ref.removeprefix(RUNS) for ref in repository.references(RUNS))


def _ended(run: Run, marker: RunMarker, stages: Stages) -> StageStatus:
    mark = judged(marker.mark, stages)
    return StageStatus(
        mark.stage, mark.outcome, mark.owner, mark.host, mark.began, None, mark.reason, run.attempts(mark.stage),
        marker.id,
    )  # fmt: skip


def _open(lease: Lease, *, is_over: bool) -> StageStatus:
    return StageStatus(
        lease.stage, NEVER_ENDED if is_over else AT_WORK, lease.owner, lease.host, lease.began, lease.until, None,
        lease.attempts, lease.token,
    )  # fmt: skip


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
