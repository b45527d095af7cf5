"""The flag of a revision at a glance, for lists: nothing is read but what was said of it."""

from __future__ import annotations

from functools import cached_property

from blastgit.annotations.branch import Branch
from blastgit.annotations.flags import Flags
from blastgit.annotations.states import flags_of, standing
from blastgit.annotations.subjects import Subject
from blastgit.repository.local import Handle


class Glance:
    """Flags of many revisions, as far as the branch is at hand."""

    def __init__(self, handle: Handle) -> None:
        """Look at the branch as it is now."""
        self._handle = handle
        self._branch = Branch(handle)

    @cached_property
    def _flags(self) -> Flags:
        flags: Flags = self._handle.settings.section("flags")
        return flags

    def of_revision(self, name: str, number: int) -> str | None:
        """Return the flag of a revision, in words, or None."""
        return self._of(Subject("revision", f"{name}@{number}"))

    def of_transient(self, name: str) -> str | None:
        """Return the flag of a transient as such, in words, or None."""
        return self._of(Subject("transient", name))

    def _of(self, subject: Subject) -> str | None:
        if not self._branch.has(subject.kind):
            return None
        state = flags_of(standing(self._branch.of(subject)), self._flags).get(subject)
        return None if state is None else str(state)
