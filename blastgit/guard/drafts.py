"""Check pushed drafts: states without a number, on `refs/drafts/NAME`."""

from __future__ import annotations

from collections.abc import Mapping

import pygit2

from blastgit.checks.commit import commit_faults
from blastgit.checks.drafts import DraftSequence
from blastgit.checks.trailers import draft_faults, trailer_faults
from blastgit.errors import Denied
from blastgit.guard.deny import deny
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.revisions import Pointers, check_digest, check_state
from blastgit.guard.stages import check_stage
from blastgit.naming.refs import Change, Line
from blastgit.repository.commits import Marker
from blastgit.store.pointer import Pointer

_LIMIT = 10_000  # commits that one push adds


def check_drafts(repo: Quarantine, change: Change, line: Line, coming: Mapping[str, str | None]) -> dict[Pointer, str]:
    """Check what a push adds to the drafts of a transient; return every new pointer with its path.

    Args:
        repo: The data repo.
        change: The change of the ref.
        line: The transient.
        coming: All pushed refs with their new values.

    Raises:
        Denied: A commit is not allowed; the error names it.
    """
    assert change.new is not None
    new, before = _new_commits(repo, change)
    latest = _latest(repo, coming.get(line.branch) or repo.ref(line.branch))
    wanted: dict[Pointer, str] = {}
    for marker, number in _numbered([Marker(commit) for commit in new]):
        try:
            for faults in (commit_faults(marker.commit), trailer_faults(marker), before.faults(marker)):
                deny(faults)
            pointers = _check(repo, line.name, marker, number, before, latest)
        except Denied as error:
            raise Denied(f"commit {marker.id:.10}: {error}") from None
        before.follow(marker)
        wanted.update({pointer: f"commit {marker.id:.10}:{path}" for path, pointer in pointers.items()})
    return wanted


def _numbered(new: list[Marker]) -> list[tuple[Marker, int | None]]:
    """Return commits, each with the number of the revision that the next draft leads to."""
    found: list[tuple[Marker, int | None]] = []
    number: int | None = None
    for marker in reversed(new):
        number = marker.drafted[0] if marker.drafted is not None else number
        found.append((marker, number))
    return found[::-1]


def _check(  # noqa: PLR0913, PLR0917 (a commit, and what it must agree with)
    repo: Quarantine, name: str, marker: Marker, number: int | None, before: DraftSequence, latest: Marker | None
) -> Pointers:
    next_number = 0 if latest is None else (latest.number or 0) + 1
    if marker.drafted is not None and number is not None:
        if number > next_number:
            raise Denied(f"it is a draft of revision {number}, and the next one of {name} is {next_number}")
        pointers, state = check_state(repo, name, marker, number)
        deny(draft_faults(state, repo.rules, has_stages=before.has_stages))
        check_digest(repo, state)
        return pointers
    if marker.stage is not None:
        if number is None:
            raise Denied("it is the marker of a stage, and no draft follows it")
        return check_stage(repo, name, marker, number)
    _check_over(repo, name, marker, latest)
    return {}


def _check_over(repo: Quarantine, name: str, marker: Marker, latest: Marker | None) -> None:
    """Check a marker that closes a draft because its state equals a published revision again."""
    revision = latest
    while revision is not None and revision.number != marker.reproduces:
        revision = _latest(repo, next(map(str, revision.commit.parent_ids), None))
    if revision is None:
        raise Denied(f"it says that it reproduces revision {marker.reproduces} of {name}, which does not exist here")
    if marker.commit.tree_id != revision.commit.tree_id:
        raise Denied(f"its tree is not that of revision {marker.reproduces}, which it says it reproduces")


def _new_commits(repo: Quarantine, change: Change) -> tuple[list[pygit2.Commit], DraftSequence]:
    """Return the new commits, oldest first, and the sequence that they continue."""
    assert change.new is not None
    new: list[pygit2.Commit] = []
    oid: str | None = change.new
    while oid is not None and oid != change.old:
        if len(new) == _LIMIT:
            raise Denied(f"it adds more than {_LIMIT:,} commits: push fewer at once")
        commit = repo.commit(oid, "the draft")
        new.append(commit)
        oid = next(map(str, commit.parent_ids), None)
    if change.old is not None and oid is None:
        raise Denied("it would not be a fast-forward: somebody else was first; fetch it, and record again")
    before = DraftSequence()
    for marker in reversed(_known(repo, change.old)):
        before.follow(marker)
    return new[::-1], before


def _known(repo: Quarantine, tip: str | None) -> list[Marker]:
    """Return the existing commits, newest first, back to the last but one draft."""
    known: list[Marker] = []
    while tip is not None and sum(each.drafted is not None for each in known) < 2:
        commit = repo.commit(tip, "a draft before")
        known.append(Marker(commit))
        tip = next(map(str, commit.parent_ids), None)
    return known


def _latest(repo: Quarantine, tip: str | None) -> Marker | None:
    """Return the latest revision at or before a commit of a branch."""
    while tip is not None:
        commit = repo.commit(tip, "a commit of the branch")
        if Marker(commit).number is not None:
            return Marker(commit)
        tip = next(map(str, commit.parent_ids), None)
    return None
