"""Which states get a number: all that are recorded, or only those whose workflow came to its end."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from blastgit.errors import RepoError
from blastgit.workflow.ended import COMPLETE

if TYPE_CHECKING:
    from blastgit.repository.settings import Settings

_ENDED = (COMPLETE, "answered")
"""What the status of a state begins with whose workflow came to its end. A finding (no host match) is an end."""

_VERBS = {"failed": "failed", "not run": "did not run", "not yet": "had not run yet"}


class Publish(Enum):
    """Which states get a number."""

    ALL = "all"
    """Each that differs from the latest revision, as in the design that Blast's issue 320 asks for."""
    COMPLETE = "complete"
    """Only those whose workflow came to its end; the others are kept as drafts."""

    @classmethod
    def of(cls, settings: Settings) -> Publish:
        """Return what a data repo has chosen.

        Raises:
            RepoError: It is neither of the two.
        """
        found: Publish = settings.read("publish", _read)
        return found

    def allows(self, status: str) -> bool:
        """Whether a state with this status (`Validity.status`) gets a number."""
        return self is Publish.ALL or status.partition(":")[0] in _ENDED


def _read(section: Any) -> Publish:
    words = [each.value for each in Publish]
    if section is None:
        return Publish.ALL
    if section not in words:
        raise RepoError(f"publish in blastgit.yaml on main is {section!r:.40}, and should be {' or '.join(words)}")
    return Publish(section)


def because(status: str) -> str:
    """Return a status as a reason: "Global host SED inference failed"."""
    how, _, stages = status.partition(": ")
    names = stages.split(", ")
    named = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{named} {_VERBS.get(how, how)}" if stages else how
