"""Host keys that turned out to be the same galaxy: the section `hosts` of `blastgit.yaml`, from old to new keys.

A host has no line of its own: its history is in the exports that contain it. Its key is derived from its row, so
another row can give the same galaxy another key: an entry in another catalogue, or a new name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from blastgit.errors import RepoError
from blastgit.naming.keys import read_mapping
from blastgit.repository.settings import Settings
from blastgit.repository.successors import later, refuse_circle
from blastgit.revision.document import Json
from blastgit.revision.host import host_key

_WHERE = "blastgit.yaml on main: hosts"


@dataclass(frozen=True)
class Hosts:
    """Which keys belong to the same host.

    Attributes:
        present: The key that replaces each former one.
    """

    present: Mapping[str, str]

    @classmethod
    def of(cls, settings: Settings) -> Hosts:
        """Read the section `hosts` of the settings.

        Raises:
            RepoError: The section `hosts` has a mistake.
        """
        return settings.read("hosts", read_hosts)

    def key(self, fields: Mapping[str, Json] | None) -> str:
        """Return the key of the host in a row; "" without a row."""
        return "" if fields is None else self.known_as(host_key(fields))

    def known_as(self, key: str) -> str:
        """Return the present key for a key."""
        return [key, *later(self.present, key)][-1]

    def former(self, key: str) -> Iterator[str]:
        """Yield the former keys of a key."""
        yield from (old for old in self.present if self.known_as(old) == key)


def read_hosts(loaded: Any) -> Hosts:
    """Read the section.

    Raises:
        RepoError: It does not map texts to texts, or keys form a circle.
    """
    given = read_mapping(loaded, _WHERE, "map former keys of hosts to present ones")
    for key in (*given, *given.values()):
        if not isinstance(key, str) or " ".join(key.split()) != key or not key:
            raise RepoError(f"{_WHERE}: {key!r:.80} is not a host's key: write it in quotes, without extra blanks")
    refuse_circle(given, _WHERE)
    return Hosts(given)
