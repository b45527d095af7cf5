"""Which data repos rely on a store, and which of them may delete from it: a small file per repo in the store itself.

Each repo writes only its own `repos/ID.json`. The id is generated when a repo first writes to the store, and kept
outside the repo's git data, so that clones do not get it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from blastgit.store.base import Store

FOLDER = "repos"


@dataclass(frozen=True)
class Reliance:
    """A data repo that relies on a store.

    Attributes:
        id: Its own id, which no other copy has.
        repo: The identity that it shares with its clones, `urn:uuid:…`.
        where: Its folder, on its own machine.
        owner: Whether it may delete.
        since: When it first wrote (ISO 8601, UTC).
    """

    id: str
    repo: str
    where: str
    owner: bool
    since: str

    def __str__(self) -> str:
        return f"{self.where} ({'owner' if self.owner else 'relies on it'}, since {self.since[:10]}, id {self.id})"


def reliances(store: Store) -> list[Reliance]:
    """Return which repos rely on a store, sorted by folder; foreign files are ignored.

    Raises:
        StoreError: The store fails.
    """
    return sorted(_read(store), key=lambda each: (each.where, each.id))


def enter(store: Store, reliance: Reliance) -> None:
    """Register a repo that relies on a store.

    Raises:
        StoreError: The store fails, or does not accept such files.
    """
    text = json.dumps(asdict(reliance), indent=1, ensure_ascii=False) + "\n"
    store.write_note(f"{FOLDER}/{reliance.id}.json", text.encode())


def strike(store: Store, reliance: Reliance) -> None:
    """Remove the registration of a repo that no longer exists.

    Raises:
        StoreError: The store fails.
    """
    store.remove_note(f"{FOLDER}/{reliance.id}.json")


def _read(store: Store) -> Iterator[Reliance]:
    for data in store.notes(FOLDER).values():
        try:
            fields = json.loads(data)
            found = Reliance(**fields)
        except (ValueError, TypeError, RecursionError):
            continue
        if all(isinstance(fields[key], str) for key in ("id", "repo", "where", "since")):
            yield found
