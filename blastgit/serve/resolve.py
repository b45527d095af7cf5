"""Finds the revision that an address names: official ones only. No page shows the personal lines of users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blastgit.errors import InvalidName, NotFound
from blastgit.naming.names import Spec, is_personal, parse_spec

if TYPE_CHECKING:
    from blastgit.api.repo import DataRepo
    from blastgit.reading.log import Entry


@dataclass(frozen=True)
class Found:
    """A revision that an address names.

    Attributes:
        entry: The entry of the revision in the history.
        history: All revisions of its transient, newest first.
    """

    entry: Entry
    history: Sequence[Entry]

    @property
    def name(self) -> str:
        """The name of the revision: `2026dgt@1`."""
        return f"{self.entry.revision.name}@{self.entry.revision.number}"

    @property
    def is_latest(self) -> bool:
        """Whether it is the newest revision."""
        return self.entry is self.history[0]


def read_spec(text: str) -> Spec:
    """Parse the name of an official revision.

    Raises:
        NotFound: It is not the name of an official revision.
    """
    try:
        spec = parse_spec(text)
    except InvalidName as error:
        raise NotFound(str(error)) from None
    if is_personal(spec.name) or spec.path is not None or spec.stage is not None:
        raise NotFound(f"there is no revision {text[:100]!r} here")
    return spec


def find(repo: DataRepo, text: str) -> Found:
    """Return the revision that an address names, which may use an alias or a date.

    Raises:
        NotFound: The revision does not exist.
    """
    spec = read_spec(text)
    if spec.is_latest:
        history = repo.log(spec.name)
        return Found(history[0], history)
    state = repo.validity(text).revision
    history = repo.log(state.name)
    for entry in history:
        if entry.revision.id == state.id:
            return Found(entry, history)
    raise NotFound(f"there is no revision {text[:100]!r} here")
