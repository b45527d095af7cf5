"""How the workflow behind a revision ended, in a few words: by far the most are complete, and say so themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastgit.naming.trailers import Trailer

if TYPE_CHECKING:
    from blastgit.repository.base import Repository
    from blastgit.repository.commits import Revision

COMPLETE = "complete"
"""The status of a state in which every stage succeeded."""


def status_of(repository: Repository, revision: Revision) -> str:
    """Return how the workflow behind a revision ended: what every verb and table says of it.

    See `Validity.status`. The trailer `Status:` is what was said when it was recorded: in revisions of 2026 it counts
    findings (no host match) among the failures, and does not know of stages that failed by their markers alone.

    Raises:
        DamagedData: The document cannot be read.
    """
    said = revision.trailers
    if said.get(Trailer.STATUS) == COMPLETE and Trailer.WORKFLOW not in said:
        return COMPLETE
    from blastgit.workflow.judged import validity_of

    return validity_of(repository, revision).status
