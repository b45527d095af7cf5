"""How the workflow behind a revision ended, with a fast path for complete ones, by far the most common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastgit.naming.trailers import Trailer

if TYPE_CHECKING:
    from blastgit.repository.base import Repository
    from blastgit.repository.commits import Marker, Revision

COMPLETE = "complete"
"""The status of a state in which every stage succeeded."""

UP_TO_DATE = "none"
"""The value of `Out-Of-Date:` if nothing was out of date when the revision was recorded."""


def is_known_fresh(state: Marker) -> bool:
    """Whether nothing in a state can be out of date, because its commit says so or it is the transient's first."""
    said = state.trailers
    if said.get(Trailer.OUT_OF_DATE) == UP_TO_DATE:
        return True
    is_first = said.get(Trailer.REVISION) == "0" and Trailer.FORKED_FROM not in said
    return is_first and Trailer.WORKFLOW not in said


def says_complete(revision: Revision) -> bool:
    """Whether a revision's commit says itself that every stage succeeded and nothing is out of date."""
    said = revision.trailers
    return said.get(Trailer.STATUS) == COMPLETE and Trailer.WORKFLOW not in said and is_known_fresh(revision)


def status_of(repository: Repository, revision: Revision) -> str:
    """Return how the workflow behind a revision ended, for all verbs and tables.

    See `Validity.status`. The trailer `Status:` is the status at the time of recording: in revisions of 2026 it counts
    findings (no host match) as failures, and ignores stages that failed only by their markers.

    Raises:
        DamagedData: The document cannot be read.
    """
    if says_complete(revision):
        return COMPLETE
    from blastgit.workflow.judging import validity_of

    return validity_of(repository, revision).status
