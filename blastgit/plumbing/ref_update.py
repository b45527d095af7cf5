"""A ref and where it is to go, and what is raised if it could not."""

from __future__ import annotations

from typing import NamedTuple

from blastgit.errors import RepoError
from blastgit.plumbing.objects import ZERO


class RefMoved(RepoError):
    """A ref was not where the caller last saw it: somebody else was first. Look again, and decide again."""

    kind = "ref-moved"


class RefLocked(RefMoved):
    """A ref is locked by another git process just now. Look again."""

    kind = "ref-locked"


class RefUpdate(NamedTuple):
    """One ref and where it goes.

    Attributes:
        ref: The full name.
        new: The object id that it shall have; `ZERO` if it shall go.
        old: The object id that it must have now; None if it must not exist.
    """

    ref: str
    new: str
    old: str | None = None

    def line(self) -> str:
        """Return the update as a line for `git update-ref --stdin`."""
        return f"update {self.ref} {self.new} {self.old or ZERO}\n"
