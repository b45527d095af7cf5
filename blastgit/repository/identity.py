"""Who a data repo is, for names that outlive a move: the ids of its datasets and records are UUIDs made from that."""

from __future__ import annotations

import uuid
from typing import Any

from blastgit.errors import RepoError
from blastgit.repository.base import Repository
from blastgit.repository.settings import Settings

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/scimma/blast#data-repo")


def read_identity(loaded: Any) -> uuid.UUID | None:
    """Read the setting `identity`: a UUID that a repo keeps from the one that it was made of; None if there is none.

    Raises:
        RepoError: It is no UUID.
    """
    if loaded is None:
        return None
    try:
        return uuid.UUID(str(loaded))
    except ValueError:
        raise RepoError(f"blastgit.yaml on main: identity is {loaded!r}, no UUID") from None


def stated_identity(settings: Settings) -> uuid.UUID | None:
    """Return the identity that the settings of a data repo state; None if it follows from the repo itself.

    Raises:
        RepoError: It is no UUID.
    """
    return settings.read("identity", read_identity)


def repo_identity(repository: Repository) -> uuid.UUID:
    """Return the identity of a data repo: what its settings say, or else what follows from the first commit of main."""
    stated = stated_identity(repository.settings)
    if stated is not None:
        return stated
    *_, first = repository.commits("main")
    return uuid.uuid5(_NAMESPACE, str(first.id))


def stable_id(identity: uuid.UUID, name: str) -> str:
    """Return the id of one thing in a data repo, such as `revision:2026dgt@1`: always the same for the same thing."""
    return str(uuid.uuid5(identity, name))
