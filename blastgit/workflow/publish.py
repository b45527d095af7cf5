"""Which states are published: all that are recorded, or only those whose workflow completed."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from blastgit.errors import RepoError
from blastgit.workflow.ended import COMPLETE

if TYPE_CHECKING:
    from blastgit.repository.settings import Settings

_ENDED = (COMPLETE, "answered")
"""The beginnings of the status of a completed workflow, which may have ended with a finding (no host match)."""

_VERBS = {"failed": "failed", "not run": "did not run", "not yet": "had not run yet"}


class Publish(Enum):
    """Which states are published."""

    ALL = "all"
    """Each state that differs from the latest revision, as requested in Blast's issue 320."""
    COMPLETE = "complete"
    """Only states whose workflow completed; the others are kept as drafts."""

    @classmethod
    def of(cls, settings: Settings) -> Publish:
        """Read the section `publish` of the settings.

        Raises:
            RepoError: It is not one of the two values.
        """
        found: Publish = settings.read("publish", _read)
        return found

    def allows(self, status: str) -> bool:
        """Whether a state with this status (`Validity.status`) is published."""
        return self is Publish.ALL or status.partition(":")[0] in _ENDED


def _read(section: Any) -> Publish:
    words = [each.value for each in Publish]
    if section is None:
        return Publish.ALL
    if section not in words:
        raise RepoError(f"publish in blastgit.yaml on main is {section!r:.40}, but should be {' or '.join(words)}")
    return Publish(section)


def because(status: str) -> str:
    """Return a status as a reason: "Global host SED inference failed"."""
    how, _, stages = status.partition(": ")
    names = stages.split(", ")
    named = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{named} {_VERBS.get(how, how)}" if stages else how
