"""How the workflow behind a revision ended, in a few words: by far the most are complete, and say so themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastgit.naming.trailers import Trailer

if TYPE_CHECKING:
    from blastgit.repository.base import Repository
    from blastgit.repository.commits import Marker, Revision

COMPLETE = "complete"
"""The status of a state in which every stage succeeded."""

UP_TO_DATE = "none"
"""What `Out-Of-Date:` says of a revision in which nothing was when it was recorded."""


def is_known_fresh(state: Marker) -> bool:
    """Whether nothing in a state can be out of date, by what its commit says, or since it is a transient's first."""
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
    """Return how the workflow behind a revision ended: what every verb and table says of it.

    See `Validity.status`. The trailer `Status:` is what was said when it was recorded: in revisions of 2026 it counts
    findings (no host match) among the failures, and does not know of stages that failed by their markers alone.

    Raises:
        DamagedData: The document cannot be read.
    """
    if says_complete(revision):
        return COMPLETE
    from blastgit.workflow.judged import validity_of

    return validity_of(repository, revision).status
