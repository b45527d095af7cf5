"""Walks back through the history of a transient: each state, the stages that led to it, the runs that reproduced it.

This is the evidence for when something was made: a stage ran for a state if its marker says so, if the time of its
task changed, or if its output differs from the previous state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pygit2

from blastgit.naming.names import slug, transient_of
from blastgit.naming.trailers import Trailer, read_used
from blastgit.repository.base import Repository
from blastgit.repository.commits import Marker, Revision, Snapshot, StageState, UnpublishedState
from blastgit.repository.history import History
from blastgit.workflow.markers import DONE
from blastgit.workflow.view import View

ALL = "all"
"""The value of `Ran:` if every stage that had run before ran again."""

NONE = "none"
"""The value of `Ran:` if no stage ran: the same export was recorded again."""


@dataclass(frozen=True)
class Reproduction:
    """A run that reproduced the values of a revision.

    Attributes:
        time: When Blast wrote its export.
        ran: The slugs of the stages that ran for it; None if all did, or it does not say.
        used: The revisions of references that it says it used.
    """

    time: datetime
    ran: frozenset[str] | None = None
    used: tuple[str, ...] = ()

    def tells_of(self, stage: str) -> bool:
        """Whether a stage ran for it, given the stage's slug."""
        return self.ran is None or stage in self.ran


@dataclass(frozen=True)
class Step:
    """One state in the history.

    Attributes:
        view: The state.
        marks: The markers of the stages that succeeded in the run that led to it, by slug, in order.
        again: The runs that reproduced it.
    """

    view: View
    marks: Mapping[str, Snapshot] = field(default_factory=dict)
    again: tuple[Reproduction, ...] = ()


def steps_back(repository: Repository, state: Snapshot, *, from_itself: bool = False) -> Iterator[Step]:
    """Yield a state and its predecessors, newest first, down to the first, continuing beyond a fork.

    Args:
        repository: The data repo.
        state: The state.
        from_itself: Whether not to look for runs that gave it again later.
    """
    current: Snapshot | None = None
    marks: list[Marker] = []
    again: list[Marker] = []
    later: list[Marker] = []  # a branch has, newest first: reproductions of a revision, the revision, its stages
    for marker in _way_back(repository, state, from_itself=from_itself):
        if marker.reproduces is not None:
            later.append(marker)
        elif marker.number is not None or (current is None and marker.id == state.id):
            if current is None and marker.id != state.id:
                later = []  # this revision is newer than the state
                continue
            if current is not None:
                yield _step(repository, current, marks, again)
            current = state if marker.id == state.id else _revision(repository, state, marker)
            marks, again, later = ([] if marker.stage is None else [marker]), later, []
        elif marker.stage is not None and current is not None:
            marks.append(marker)
    yield _step(repository, current or state, marks, again)


def _way_back(repository: Repository, state: Snapshot, *, from_itself: bool) -> Iterator[Marker]:
    """Yield commits, newest first; for a revision from the next one's commit, to include its reproductions."""
    commit: pygit2.Commit | None = state.commit
    if state.stage is None and not from_itself:
        newer = History(repository).tagged(state.name, state.number + 1) if isinstance(state, Revision) else None
        commit = History(repository).tip(state.name) if newer is None else newer.commit
    while commit is not None:
        yield Marker(commit)
        commit = repository.commit_before(state.name, commit)


def _revision(repository: Repository, state: Snapshot, marker: Marker) -> Revision:
    return Revision(repository.git, marker.line or transient_of(state.name), marker.commit, marker.number or 0)


def _step(repository: Repository, state: Snapshot, marks: list[Marker], again: list[Marker]) -> Step:
    towards = state.towards if isinstance(state, UnpublishedState) else state.number or 0
    done = {
        slug(marker.stage or ""): StageState(repository.git, state.name, marker.commit, towards)
        for marker in reversed(marks)
        if marker.outcome == DONE
    }
    return Step(View.of(state, repository.rules), done, tuple(map(_reproduction, again)))


def _reproduction(marker: Marker) -> Reproduction:
    said = marker.trailers
    return Reproduction(marker.time, read_ran(said.get(Trailer.RAN)), read_used(said))


def read_ran(text: str | None) -> frozenset[str] | None:
    """Return the slugs of the stages in `Ran:`; None for all stages, or without such a trailer."""
    if text is None or text == ALL:
        return None
    return frozenset() if text == NONE else frozenset(text.split(", "))


def covers(said: str | None, ran: str | None) -> bool:
    """Whether a reproduction with the `Ran:` in `said` makes another with `ran` redundant."""
    before, now = read_ran(said), read_ran(ran)
    return before is None or (now is not None and now <= before)
