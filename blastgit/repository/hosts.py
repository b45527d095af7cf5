"""Host galaxies that turned out to be one: the section `hosts` of `blastgit.yaml`, from former keys to present ones.

A host has no line of its own: its history is in the exports that carry it. Its key follows from its row, and another
row may give the same galaxy another key: an entry in another catalogue, a name that it did not have before.
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
    """Which keys are of the same host.

    Attributes:
        present: The key that stands for each former one.
    """

    present: Mapping[str, str]

    @classmethod
    def of(cls, settings: Settings) -> Hosts:
        """Return what the settings of a data repo say of them.

        Raises:
            RepoError: The section `hosts` has a mistake.
        """
        return settings.read("hosts", read_hosts)

    def key(self, fields: Mapping[str, Json] | None) -> str:
        """Return the key of the host that a row is about; "" without a row."""
        return "" if fields is None else self.known_as(host_key(fields))

    def known_as(self, key: str) -> str:
        """Return the key that stands for one today."""
        return [key, *later(self.present, key)][-1]

    def former(self, key: str) -> Iterator[str]:
        """Yield the keys that one stands for, beside itself."""
        yield from (old for old in self.present if self.known_as(old) == key)


def read_hosts(loaded: Any) -> Hosts:
    """Read the section.

    Raises:
        RepoError: It maps no texts to texts, or keys form a circle.
    """
    given = read_mapping(loaded, _WHERE, "map former keys of hosts to present ones")
    for key in (*given, *given.values()):
        if not isinstance(key, str) or " ".join(key.split()) != key or not key:
            raise RepoError(f"{_WHERE}: {key!r:.80} is not a host's key; write it in quotes, without extra blanks")
    refuse_circle(given, _WHERE)
    return Hosts(given)
