"""Options of a recording."""

from __future__ import annotations

from dataclasses import dataclass

from blastgit.naming.names import own_line
from blastgit.repository.base import LOCK_TIMEOUT
from blastgit.repository.commits import Revision


@dataclass(frozen=True)
class RecordOptions:
    """How to record.

    Attributes:
        run: The RUN collection of the new revision, or of the revision that was reproduced.
        dry_run: Decide, but write nothing.
        timeout: Seconds to wait for another writer of the same transient.
        owner: The owner of the workflow run that this ends, with all leases they hold; None for the current user.
        user: The user whose own line to record in; None for the official one.
        fork: The revision that a user's own line forks from; None for the latest official one, or its present fork.
        origin: The revision of a user's own line that is promoted, or None.
        even_withdrawn: Whether to republish withdrawn files; only admins may.
        used: The revisions of references that the run used, `r/model/sbi-global@2`; see `workflow/made_with.py`.
        store: The store for all files, overriding the storage rules; "" to follow the rules.
    """

    run: str | None = None
    dry_run: bool = False
    timeout: float = LOCK_TIMEOUT
    owner: str | None = None
    user: str | None = None
    fork: Revision | None = None
    origin: Revision | None = None
    even_withdrawn: bool = False
    used: tuple[str, ...] = ()
    store: str = ""

    def line(self, name: str) -> str:
        """Return the line that a state of a transient goes into."""
        return name if self.user is None else own_line(self.user, name)
