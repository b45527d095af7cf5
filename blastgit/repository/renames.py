"""Transients that were renamed: the section `renames` of `blastgit.yaml`, from former names to present ones.

Blast itself cannot rename; occasionally a migration gives a transient another name, while published data keep the old
one. Both names find the transient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blastgit.errors import InvalidName, RepoError
from blastgit.naming.keys import read_mapping
from blastgit.naming.names import check_transient
from blastgit.repository.settings import Settings
from blastgit.repository.successors import later, refuse_circle

_WHERE = "blastgit.yaml on main: renames"


@dataclass(frozen=True)
class Renames:
    """Which names belong to the same transient.

    Attributes:
        present: The name that replaced each former one.
    """

    present: Mapping[str, str]

    @classmethod
    def of(cls, settings: Settings) -> Renames:
        """Read the section `renames` of the settings.

        Raises:
            RepoError: The section `renames` has a mistake.
        """
        return settings.read("renames", read_renames)

    def former(self, name: str) -> list[str]:
        """Return the former names of a transient, the most recent first."""
        before = [old for old, new in self.present.items() if new == name]
        return [each for old in before for each in (old, *self.former(old))]

    def others(self, name: str) -> list[str]:
        """Return the other names of a transient: later names, the latest first, then former ones."""
        after = later(self.present, name)
        newest = [name, *after][-1]
        return [*reversed(after), *(each for each in self.former(newest) if each != name and each not in after)]


def read_renames(loaded: Any) -> Renames:
    """Read the section.

    Raises:
        RepoError: A name is not valid, or names form a circle.
    """
    given = read_mapping(loaded, _WHERE, "map former names to present ones")
    for name in (*given, *given.values()):
        try:
            check_transient(str(name))
        except InvalidName as error:
            raise RepoError(f"{_WHERE}: {error}") from None
    present = {str(old): str(new) for old, new in given.items()}
    refuse_circle(present, _WHERE)
    return Renames(present)
