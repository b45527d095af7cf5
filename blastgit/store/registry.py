"""Which data repos rely on a store, and which of them may delete from it: a small file for each in the store itself.

`repos/ID.json` is written by the repo that it is about, so no two repos write to the same one. The id is drawn when a
repo first writes to the store, and kept beside the repo, where no clone takes it along.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from blastgit.store.base import Store

FOLDER = "repos"


@dataclass(frozen=True)
class Reliance:
    """One data repo that relies on a store.

    Attributes:
        id: Its own id, which no other copy of it has.
        repo: The identity that it shares with its clones, `urn:uuid:…`.
        where: Its folder, on the machine that it is on.
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
    """Return which repos rely on a store, by their folders. A file that is not ours is passed over.

    Raises:
        StoreError: The store fails.
    """
    return sorted(_read(store), key=lambda each: (each.where, each.id))


def enter(store: Store, reliance: Reliance) -> None:
    """Write down that a repo relies on a store.

    Raises:
        StoreError: The store fails, or takes no such files.
    """
    text = json.dumps(asdict(reliance), indent=1, ensure_ascii=False) + "\n"
    store.write_note(f"{FOLDER}/{reliance.id}.json", text.encode())


def strike(store: Store, reliance: Reliance) -> None:
    """Forget a repo that is no more.

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
