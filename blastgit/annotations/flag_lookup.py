"""The flag of a revision, for lists: reads only the revision's own annotations."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from blastgit.annotations.branch import Branch

if TYPE_CHECKING:
    from datetime import datetime

    from blastgit.annotations.flags import Flags
    from blastgit.repository.base import Repository


class FlagLookup:
    """Flags of many revisions, from the local copy of the branch."""

    def __init__(self, repository: Repository, until: datetime | None = None) -> None:
        """Open the branch as it is now.

        Args:
            repository: The data repo.
            until: Ignore annotations made after this time; None for all.
        """
        self._repository = repository
        self._branch = Branch(repository)
        self._until = until

    @cached_property
    def _flags(self) -> Flags:
        from blastgit.annotations.flags import Flags

        return Flags.of(self._repository.settings)

    def of_revision(self, name: str, number: int) -> str | None:
        """Return the flag of a revision as text, or None."""
        return self._of("revision", f"{name}@{number}")

    def of_file(self, sha256: str) -> str | None:
        """Return the flag of a content, given by its SHA-256 in hexadecimal digits, as text, or None."""
        return self._of("file", f"sha256:{sha256}")

    def of_transient(self, name: str) -> str | None:
        """Return the flag of a transient itself as text, or None."""
        return self._of("transient", name)

    def _of(self, kind: str, name: str) -> str | None:
        if not self._branch.has(kind):
            return None
        from blastgit.annotations.states import annotation_states, flags_of
        from blastgit.annotations.subjects import Subject

        subject = Subject(kind, name)
        until = self._until
        events = [event for event in self._branch.of(subject) if until is None or event.time <= until]
        state = flags_of(annotation_states(events), self._flags).get(subject)
        return None if state is None else str(state)
