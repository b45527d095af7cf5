"""The markers of a run in progress: commits under `refs/workflow/NAME`, one for each stage that began or ended.

The parent of the first is the tip of the transient's branch when the run began, which every marker names (`Base:`), so
that `git log refs/workflow/NAME` continues into the published history. The tree of a marker holds everything made so
far.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import pygit2

from blastgit.errors import DamagedData
from blastgit.naming.refs import run_ref
from blastgit.naming.trailers import Trailer, read_used, write_message
from blastgit.plumbing.objects import commit_of, undamaged
from blastgit.repository.commits import Marker, Snapshot
from blastgit.revision.dr import read_dr
from blastgit.workflow.lease import Lease

if TYPE_CHECKING:
    from blastgit.repository.base import Repository
    from blastgit.workflow.stages import Stages

BEGUN, DONE, FAILED, UNFINISHED = "begun", "done", "failed", "unfinished"
"""The outcomes of a stage. `unfinished` is written when a run ends and a stage has begun but not ended."""

ANSWERED = "answered"
"""The meaning of `failed` if the reason is a finding listed in `stages.yaml`; never written in a marker."""

OUTCOMES = (BEGUN, DONE, FAILED, UNFINISHED)

NO_BASE = "none"


@dataclass(frozen=True)
class Mark:
    """The contents of a marker.

    Attributes:
        stage: The stage.
        outcome: Its outcome.
        owner: The owner of the run that began it.
        host: The machine where it began.
        began: When it began, by the clock of leases.
        until: When the lease ends, for a stage that has just begun.
        reason: Why it failed.
        attempts: How many times it has begun in this run.
        used: The revisions of references that it was done with, `r/model/sbi-global@2`, if it says.
    """

    stage: str
    outcome: str
    owner: str
    host: str
    began: datetime
    until: datetime | None = None
    reason: str | None = None
    attempts: int = 1
    used: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The subject line of the marker."""
        if self.outcome == BEGUN:
            return f"begin {self.stage}"
        if self.outcome in (FAILED, ANSWERED):
            return f"{self.stage} {self.outcome}: {self.reason or 'no reason given'}"
        return f"post {self.stage}" if self.outcome == DONE else f"{self.stage} never ended"

    def message(self, name: str, body: Sequence[str], extra: Mapping[Trailer, str | None]) -> str:
        """Return the commit message of a marker.

        Args:
            name: The transient.
            body: The output of the stage, for people.
            extra: Further trailers.
        """
        trailers = {
            Trailer.STAGE: self.stage,
            Trailer.OUTCOME: self.outcome,
            Trailer.REASON: self.reason,
            Trailer.OWNER: self.owner,
            Trailer.HOST: self.host,
            Trailer.BEGAN: written(self.began),
            Trailer.UNTIL: None if self.until is None else written(self.until),
            Trailer.ATTEMPTS: None if self.attempts == 1 else str(self.attempts),
            Trailer.USED: ", ".join(self.used),
            Trailer.MARKER: "stage",
        }
        return write_message(f"{name}: {self.words}", body, {**trailers, **extra})


def read_mark(marker: Marker) -> Mark:
    """Parse a marker.

    Raises:
        DamagedData: It is not a marker of a stage.
    """
    said = marker.trailers
    try:
        until = said.get(Trailer.UNTIL)
        return Mark(
            said[Trailer.STAGE], said[Trailer.OUTCOME], said[Trailer.OWNER], said[Trailer.HOST],
            _moment(said[Trailer.BEGAN]), None if until is None else _moment(until),
            said.get(Trailer.REASON), int(said.get(Trailer.ATTEMPTS, "1")), read_used(said),
        )  # fmt: skip
    except (KeyError, ValueError, OverflowError):
        raise DamagedData(
            f"the commit {marker.id:.10} is not a valid marker of a stage; if it belongs to a run in progress, "
            "`blastgit stage drop` discards the run"
        ) from None


def judged(mark: Mark, stages: Stages) -> Mark:
    """Return what a marker says, where a finding (no host match) is not a failure."""
    stage = stages.by_name.get(mark.stage)
    is_finding = mark.outcome == FAILED and stage is not None and mark.reason in stage.answers
    return replace(mark, outcome=ANSWERED) if is_finding else mark


def written(moment: datetime) -> str:
    """Format an instant for a trailer."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


@dataclass(frozen=True)
class RunMarker:
    """One marker of a run in progress.

    Attributes:
        commit: The commit.
        mark: Its contents.
    """

    commit: pygit2.Commit
    mark: Mark

    @property
    def id(self) -> str:
        """The commit's id."""
        return str(self.commit.id)


@dataclass(frozen=True)
class Run:
    """A run in progress, from its markers.

    Attributes:
        name: The transient.
        markers: All markers, oldest first.
        state: The state at the last one.
        base: The tip of the transient's branch when the run began, or None.
    """

    name: str
    markers: tuple[RunMarker, ...]
    state: Snapshot
    base: str | None

    @classmethod
    def of(cls, repository: Repository, name: str) -> Run | None:
        """Return the run in progress of a transient, or None.

        Raises:
            DamagedData: Its markers cannot be read.
        """
        reference = repository.reference(run_ref(name))
        if reference is None:
            return None
        tip = commit_of(reference)
        base = Marker(tip).trailers.get(Trailer.BASE, NO_BASE)
        markers = [RunMarker(commit, read_mark(Marker(commit))) for commit in _back_to(repository, tip, base)]
        return cls(name, tuple(markers[::-1]), Snapshot(repository.git, name, tip), None if base == NO_BASE else base)

    @property
    def tip(self) -> str:
        """The id of the last marker."""
        return self.markers[-1].id

    @cached_property
    def towards(self) -> int:
        """The number of the revision that the run would become, as of its beginning."""
        return read_dr(self.state.dr_bytes, f"{self.name}.json of the run in progress").number

    @property
    def endings(self) -> list[RunMarker]:
        """The last ending of each stage, in the order in which they ended."""
        last = {each.mark.stage: each for each in self.markers if each.mark.outcome != BEGUN}
        return [each for each in self.markers if last.get(each.mark.stage) is each]

    @cached_property
    def leases(self) -> dict[str, Lease]:
        """The stages that have begun and not ended."""
        found: dict[str, Lease] = {}
        for each in self.markers:
            found = leases_after(found, each)
        return found

    def attempts(self, stage: str) -> int:
        """Return how many times a stage has begun in this run."""
        return sum(each.mark.stage == stage and each.mark.outcome == BEGUN for each in self.markers)


def leases_after(leases: Mapping[str, Lease], marker: RunMarker) -> dict[str, Lease]:
    """Return the leases held after a marker, by stage, given those held before it."""
    mark = marker.mark
    held = {stage: lease for stage, lease in leases.items() if stage != mark.stage}
    if mark.outcome == BEGUN:
        until = mark.began if mark.until is None else mark.until
        held[mark.stage] = Lease(mark.stage, mark.owner, mark.host, mark.began, until, marker.id, mark.attempts)
    return held


def _back_to(repository: Repository, tip: pygit2.Commit, base: str) -> Iterator[pygit2.Commit]:
    commit: pygit2.Commit | None = tip
    while commit is not None and str(commit.id) != base:
        yield commit
        with undamaged(f"the commit {commit.id}"):
            commit = repository.git[commit.parent_ids[0]].peel(pygit2.Commit) if commit.parent_ids else None
