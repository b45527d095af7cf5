"""The flag of a revision at a glance, for lists: nothing is read but what was said of it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from blastgit.annotations.branch import Branch

if TYPE_CHECKING:
    from datetime import datetime

    from blastgit.annotations.flags import Flags
    from blastgit.repository.base import Repository


class FlagLookup:
    """Flags of many revisions, as far as the branch is at hand."""

    def __init__(self, repository: Repository, until: datetime | None = None) -> None:
        """Look at the branch as it is now.

        Args:
            repository: The data repo.
            until: Only what had been said by then; None for all.
        """
        self._repository = repository
        self._branch = Branch(repository)
        self._until = until

    @cached_property
    def _flags(self) -> Flags:
        from blastgit.annotations.flags import Flags

        return Flags.of(self._repository.settings)

    def of_revision(self, name: str, number: int) -> str | None:
        """Return the flag of a revision, in words, or None."""
        return self._of("revision", f"{name}@{number}")

    def of_file(self, sha256: str) -> str | None:
        """Return the flag of a content, named by its SHA-256 in hexadecimal digits, in words, or None."""
        return self._of("file", f"sha256:{sha256}")

    def of_transient(self, name: str) -> str | None:
        """Return the flag of a transient as such, in words, or None."""
        return self._of("transient", name)

    def _of(self, kind: str, name: str) -> str | None:
        if not self._branch.has(kind):
            return None
        from blastgit.annotations.states import annotation_states, flags_of
        from blastgit.annotations.subjects import Subject

        subject = Subject(kind, name)
        until = self._until
        said = [event for event in self._branch.of(subject) if until is None or event.time <= until]
        state = flags_of(annotation_states(said), self._flags).get(subject)
        return None if state is None else str(state)
