"""Check the drafts of a transient, in the same way as its revisions."""

from __future__ import annotations

from collections.abc import Iterator

from blastgit.checks.commit import commit_faults
from blastgit.checks.drafts import DraftSequence
from blastgit.checks.trailers import Stated, draft_faults, trailer_faults
from blastgit.errors import BlastgitError, DamagedData
from blastgit.maintenance.verify.report import Report
from blastgit.maintenance.verify.states import check_state
from blastgit.repository.base import Repository
from blastgit.repository.commits import Draft, Marker, Snapshot, StageState
from blastgit.repository.drafts import Drafts
from blastgit.repository.tombstones import Withdrawals
from blastgit.store.hashing import Checksums


def check_drafts(repository: Repository, name: str, report: Report) -> Iterator[tuple[str, Checksums]]:
    """Note the faults of a transient's drafts.

    Yields:
        Where each content is used, and its checksums; withdrawn ones are only noted.
    """
    try:
        markers = [Marker(commit) for commit in Drafts(repository, name).commits()][::-1]
        before, withdrawals = DraftSequence(), Withdrawals(repository)
        for marker in markers:
            for faults in (commit_faults(marker.commit), trailer_faults(marker), before.faults(marker)):
                for text in faults:
                    report.add("commit", f"drafts of {name}, commit {marker.id:.10}", text)
            state = _state(repository, name, marker, before.towards)
            if state is not None:
                yield from check_state(repository, state, state.towards, withdrawals.concerning(state), report)
                if isinstance(state, Draft):
                    _check_statements(repository, state, report, has_stages=before.has_stages)
            before.follow(marker)
    except DamagedData as error:
        report.add("damaged", f"drafts of {name}", error)


def _state(repository: Repository, name: str, marker: Marker, towards: int) -> Draft | StageState | None:
    """Return the state in a commit, except for one that closes a draft, which has the tree of a revision."""
    if marker.drafted is not None:
        return Draft(repository.git, name, marker.commit, marker.drafted)
    if marker.stage is not None:
        number = Snapshot(repository.git, name, marker.commit).dr.number  # of the draft that comes after it
        return StageState(repository.git, name, marker.commit, max(number, towards))
    return None


def _check_statements(repository: Repository, draft: Draft, report: Report, *, has_stages: bool) -> None:
    try:
        sizes = {path: pointer.size for path, pointer in draft.pointers.items()}
        stated = Stated(draft.name, draft, draft.dr, sizes)
    except BlastgitError:
        return  # already noted
    for text in draft_faults(stated, repository.rules, has_stages=has_stages):
        report.add("document", draft, text)
