"""Check pushed markers of stages: of ended runs on a branch, and of runs in progress under `refs/workflow/`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pygit2

from blastgit.checks.commit import commit_faults
from blastgit.checks.line import stage_faults
from blastgit.checks.trailers import trailer_faults, version_faults
from blastgit.errors import Denied
from blastgit.guard.deny import deny
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.revisions import Pointers, check_state
from blastgit.naming.refs import Change, Line
from blastgit.naming.trailers import Trailer
from blastgit.repository.commits import Marker
from blastgit.store.pointer import Pointer
from blastgit.workflow.lease import LONGEST, SKEW, Lease
from blastgit.workflow.markers import (
    BEGUN,
    NO_BASE,
    UNFINISHED,
    Mark,
    Run,
    RunMarker,
    leases_after,
    read_mark,
)

_COMMIT = re.compile(r"[0-9a-f]{40}")
_LIMIT = 10_000  # markers of one run


def check_stage(repo: Quarantine, name: str, marker: Marker, number: int) -> Pointers:
    """Check a marker that was replayed onto a branch, and return its pointers by path.

    Args:
        repo: The data repo.
        name: The transient.
        marker: The commit.
        number: The revision that it precedes.

    Raises:
        Denied: It is faulty; the error says why.
    """
    deny(stage_faults(marker))
    if Trailer.BASE in marker.trailers:
        raise Denied("its trailer Base belongs to a run in progress, but it is on a branch")
    pointers, state = check_state(repo, name, marker, number)
    deny(version_faults(state))
    return pointers


def check_run(repo: Quarantine, change: Change, line: Line) -> dict[Pointer, str]:
    """Check what a push does to a run in progress; return every new pointer with its path.

    Raises:
        Denied: A marker is faulty, or somebody else has the lease; the error says which.
    """
    assert change.new is not None
    before = Run.of(repo, line.name)
    new, base = _new_markers(repo, change)
    number = _number_after(repo, line, base)
    now, wanted = datetime.now(UTC), dict[Pointer, str]()
    leases = {} if before is None else before.leases
    follows = bool(new) and [str(parent) for parent in new[0].parent_ids] == [change.old]
    for commit in new:
        marker = Marker(commit)
        try:
            for faults in (commit_faults(commit), trailer_faults(marker), stage_faults(marker)):
                deny(faults)
            mark = read_mark(marker)
            _check_lease(mark, leases, now)
            if commit is new[0] and not follows:
                leases = {}  # it replaces a run that was given up
            pointers, state = check_state(repo, line.name, marker, number)
            deny(version_faults(state))
        except Denied as error:
            raise Denied(f"commit {marker.id:.10}: {error}") from None
        leases = leases_after(leases, RunMarker(commit, mark))
        wanted.update({pointer: f"commit {marker.id:.10}:{path}" for path, pointer in pointers.items()})
    return wanted


def _new_markers(repo: Quarantine, change: Change) -> tuple[list[pygit2.Commit], str]:
    """Return the new markers of a run, oldest first, and the commit that the run is based on."""
    assert change.new is not None
    tip = repo.commit(change.new, "the marker")
    base = Marker(tip).trailers.get(Trailer.BASE, "")
    found = list(_back_to(repo, tip, {base, change.old or ""}))
    goes_on = found and [str(parent) for parent in found[-1].parent_ids] == [change.old]
    all_of_run = [*found, *([repo.commit(change.old, "the run that is here")] if goes_on and change.old else [])]
    if any(Marker(commit).trailers.get(Trailer.BASE) != base for commit in all_of_run):
        raise Denied("its markers do not name the same `Base:`, the commit that the run begins with")
    return found[::-1], base


def _back_to(repo: Quarantine, tip: pygit2.Commit, ends: set[str]) -> Iterator[pygit2.Commit]:
    commit = tip
    for _ in range(_LIMIT):
        if str(commit.id) in ends:
            return
        yield commit
        if len(commit.parent_ids) > 1:
            raise Denied(f"commit {commit.id!s:.10} is a merge, and the markers of a run form a single line")
        if not commit.parent_ids:
            if NO_BASE not in ends:
                raise Denied("it does not follow the run that is here, nor the commit that its `Base:` names")
            return
        commit = repo.commit(commit.parent_ids[0], "the marker before")
    raise Denied(f"the run has more than {_LIMIT:,} markers: end it, or drop it")


def _number_after(repo: Quarantine, line: Line, base: str) -> int:
    """Return the number of the next revision after the commit `base`."""
    tip = repo.ref(line.branch)
    if base == NO_BASE:
        return 0
    if tip is None or not _COMMIT.fullmatch(base) or base not in repo.git:
        raise Denied(f"its `Base:`, {base:.40}, is not a commit of {line} that is here: push that first")
    if not repo.is_ancestor(base, tip):
        raise Denied(f"its `Base:`, {base:.10}, is not on the branch {line}")
    commit: pygit2.Commit | None = repo.commit(base, "what the run is based on")
    while commit is not None:
        number = Marker(commit).number
        if number is not None:
            return number + 1
        commit = repo.commit(commit.parent_ids[0], "its parent") if commit.parent_ids else None
    return 0


def _check_lease(mark: Mark, leases: dict[str, Lease], now: datetime) -> None:
    """Check that the lease allows this user to begin or end a stage, by the clock of this server."""
    if mark.outcome == UNFINISHED:
        raise Denied("that a stage never ended can only be recorded when its run ends")
    if mark.outcome != BEGUN:
        lease = leases.get(mark.stage)
        if lease is None or lease.owner != mark.owner:
            held = "it was never started" if lease is None else str(lease)
            raise Denied(f"{mark.owner} cannot end {mark.stage}: {held}")
        return
    others = [lease for lease in leases.values() if lease.owner != mark.owner and not lease.is_over(now)]
    if others:
        raise Denied(f"another run is under way: {others[0]}, until {others[0].until:%Y-%m-%d %H:%M:%S} UTC")
    if mark.until is None or not mark.began < mark.until <= mark.began + LONGEST:
        raise Denied(f"the lease of {mark.stage} should end within {LONGEST.days} days")
    if abs(mark.began - now) > SKEW:
        raise Denied(
            f"the clock of {mark.host} says {mark.began:%Y-%m-%d %H:%M:%S} UTC, and here it is "
            f"{now:%Y-%m-%d %H:%M:%S}: leases need clocks that agree within {SKEW.total_seconds():g} s, so set it"
        )
