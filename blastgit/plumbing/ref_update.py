"""An update of a ref, and the errors if it fails."""

from __future__ import annotations

from typing import NamedTuple

from blastgit.errors import RepoError
from blastgit.plumbing.objects import ZERO


class RefMoved(RepoError):
    """A ref was not where the caller last saw it: somebody else was first. Read it again, and decide again."""

    kind = "ref-moved"


class RefLocked(RefMoved):
    """A ref is currently locked by another git process. Read it again."""

    kind = "ref-locked"


class RefUpdate(NamedTuple):
    """An update of a ref.

    Attributes:
        ref: The full name.
        new: The new object id; `ZERO` to delete it.
        old: The required present object id; None if it must not exist.
    """

    ref: str
    new: str
    old: str | None = None

    def line(self) -> str:
        """Return the update as a line for `git update-ref --stdin`."""
        return f"update {self.ref} {self.new} {self.old or ZERO}\n"
