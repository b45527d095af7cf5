"""The history of a transient: each revision, why it was made, and which later runs reproduced it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from blastgit.annotations.flag_lookup import FlagLookup
from blastgit.naming.trailers import Trailer, read_body
from blastgit.repository.commits import Marker, Revision, StageState
from blastgit.repository.history import History
from blastgit.repository.lines import origin
from blastgit.repository.tombstones import Withdrawals
from blastgit.workflow.ended import COMPLETE, says_complete

if TYPE_CHECKING:
    from blastgit.repository.base import Repository
    from blastgit.workflow.judged import Finding
    from blastgit.workflow.markers import Mark
    from blastgit.workflow.validity import Standing


@dataclass(frozen=True)
class Reproduction:
    """A run that reproduced a revision's values.

    Attributes:
        app_version: The version of Blast.
        time: When (UTC).
        commit: Its marker.
        redrawn_within: How far its fits, equal within their own noise, have moved, in published widths; None if they
            gave the same numbers.
        run: The RUN that holds the revision because of it; None if no run was named.
    """

    app_version: str
    time: datetime
    commit: str
    redrawn_within: float | None = None
    run: str | None = None

    def __str__(self) -> str:
        inside = "" if self.run is None else f" in {self.run}"
        text = f"reproduced by {self.app_version}{inside}, {self.time:%Y-%m-%d %H:%M} UTC"
        return f"{text}, {self.redrawn}" if self.redrawn else text

    @property
    def redrawn(self) -> str:
        """How far its fits have moved, in words; "" if they have not."""
        if self.redrawn_within is None:
            return ""
        from blastgit.revision.redraws import sigmas

        return f"redrawn within {sigmas(self.redrawn_within)} sigma"

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "app_version": self.app_version, "time": self.time.isoformat(), "commit": self.commit,
            "redrawn_within": self.redrawn_within, "run": self.run,
        }  # fmt: skip


@dataclass(frozen=True)
class EndedStage:
    """One stage of the run that became a revision.

    Attributes:
        mark: How it ended.
        time: When (UTC).
        state: The state after it, `2026dgt@1:post-host-match`.
        commit: Its marker.
    """

    mark: Mark
    time: datetime
    state: str
    commit: str

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        mark = self.mark
        return {
            "stage": mark.stage, "outcome": mark.outcome, "reason": mark.reason, "owner": mark.owner, "host": mark.host,
            "began": mark.began.isoformat(), "ended": self.time.isoformat(), "attempts": mark.attempts,
            "state": self.state, "commit": self.commit,
        }  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One revision in a log.

    Attributes:
        revision: The revision.
        status: "complete", or which stages failed, did not run, or found nothing to do.
        files: The files that differ from the previous revision, as `{"path", "change"}`.
        details: What changed, line by line, as noted at the time.
        reproductions: The runs that reproduced its values, oldest first.
        withdrawn: Its files that were taken down, each with the reason.
        flag: Its quality flag, in words; None if it has none.
        failures: The stages that failed, did not run or found nothing to do: the causes, not their consequences.
        invalid: What is therefore invalid, by reason.
        out_of_date: What is out of date, by reason.
        stages: The markers of the run that became this revision, oldest first.
    """

    revision: Revision
    status: str
    files: list[dict[str, str]]
    details: list[str]
    reproductions: list[Reproduction] = field(default_factory=list)
    withdrawn: dict[str, str] = field(default_factory=dict)
    flag: str | None = None
    failures: list[Standing] = field(default_factory=list)
    invalid: list[Finding] = field(default_factory=list)
    out_of_date: list[Finding] = field(default_factory=list)
    stages: list[EndedStage] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the entry under its stable keys."""
        revision = self.revision
        return {
            "revision": revision.number, "tag": revision.tag, "commit": revision.id,
            "time": revision.time.isoformat(), "recorded": revision.recorded.isoformat(),
            "app_version": revision.app_version, "run": revision.trailers.get(Trailer.RUN),
            "status": self.status, "reason": revision.reason, "files": self.files,
            "details": self.details, "reproductions": [each.to_json() for each in self.reproductions],
            "withdrawn": self.withdrawn, "flag": self.flag,
            "failures": [failure.to_json() for failure in self.failures],
            "invalid": [finding.to_json() for finding in self.invalid],
            "out_of_date": [finding.to_json() for finding in self.out_of_date],
            "stages": [stage.to_json() for stage in self.stages],
        }  # fmt: skip


def log(repository: Repository, name: str) -> list[Entry]:
    """Return the revisions of a transient, newest first.

    Raises:
        NotFound: The transient does not exist.
    """
    history = History(repository)
    revisions = history.revisions(name)
    again: dict[int, list[Reproduction]] = {}
    stages: dict[int, list[EndedStage]] = {}
    newer: int | None = None
    for marker in history.markers(name):
        newer = newer if marker.number is None else marker.number
        if marker.stage is not None and newer is not None:
            state = StageState(repository.git, name, marker.commit, newer)
            stages.setdefault(newer, []).insert(0, _ended(repository, state))
        elif marker.reproduces is not None:
            again.setdefault(marker.reproduces, []).insert(0, _reproduction(marker))
    entries, withdrawals, flags = [], Withdrawals(repository), FlagLookup(repository)
    before = origin(repository, name)
    for revision in revisions:
        details = [line for line in read_body(revision.commit.message)[1] if before is not None]
        gone = {path: str(stone) for path, stone in withdrawals.of(name, revision.number).items()}
        flag = flags.of_revision(name, revision.number)
        entry = Entry(
            revision, COMPLETE, _files(before, revision), details, again.get(revision.number, []), gone, flag,
            stages=stages.get(revision.number, []),
        )  # fmt: skip
        entries.append(entry if says_complete(revision) else _judged(repository, entry))
        before = revision
    return entries[::-1]


def _reproduction(marker: Marker) -> Reproduction:
    run = marker.trailers.get(Trailer.RUN)
    return Reproduction(marker.app_version, marker.time, marker.id, marker.redrawn_within, run)


def _ended(repository: Repository, state: StageState) -> EndedStage:
    from blastgit.workflow.markers import judged, read_mark
    from blastgit.workflow.stages import Stages

    mark = judged(read_mark(state), Stages.of(repository.settings))
    return EndedStage(mark, state.time, str(state), state.id)


def _judged(repository: Repository, entry: Entry) -> Entry:
    """Return an entry with what its document says of how the workflow ended, which is read for this alone."""
    from blastgit.workflow.judged import ValidityReport

    judged = ValidityReport(repository, entry.revision)
    entry = replace(entry, status=judged.validity.status)
    if entry.status == COMPLETE:
        return entry
    late = judged.out_of_date(judged.outdated, str(entry.revision)).findings
    return replace(entry, failures=judged.validity.failures, invalid=judged.findings(), out_of_date=list(late))


def _files(before: Revision | None, after: Revision) -> list[dict[str, str]]:
    old, new = (before.held if before else {}), after.held
    changes = []
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            change = "added" if path not in old else "removed" if path not in new else "changed"
            changes.append({"path": path, "change": change})
    return changes
