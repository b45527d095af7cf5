"""The identity of a data repo, which survives a move: the ids of datasets and annotations are UUIDs derived from it."""

from __future__ import annotations

import uuid
from typing import Any

from blastgit.errors import RepoError
from blastgit.repository.base import Repository
from blastgit.repository.settings import Settings

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/scimma/blast#data-repo")


def read_identity(loaded: Any) -> uuid.UUID | None:
    """Read the setting `identity`, the UUID that a repo inherits from the one it was made from; None if not set.

    Raises:
        RepoError: It is not a UUID.
    """
    if loaded is None:
        return None
    try:
        return uuid.UUID(str(loaded))
    except ValueError:
        raise RepoError(f"blastgit.yaml on main: identity is {loaded!r}, which is not a UUID") from None


def stated_identity(settings: Settings) -> uuid.UUID | None:
    """Return the identity in the settings of a data repo; None if it is derived from the repo itself.

    Raises:
        RepoError: It is not a UUID.
    """
    return settings.read("identity", read_identity)


def repo_identity(repository: Repository) -> uuid.UUID:
    """Return the identity of a data repo: from its settings, or else derived from the first commit of main."""
    stated = stated_identity(repository.settings)
    if stated is not None:
        return stated
    *_, first = repository.commits("main")
    return uuid.uuid5(_NAMESPACE, str(first.id))


def stable_id(identity: uuid.UUID, name: str) -> str:
    """Return the permanent id of something in a data repo, such as `revision:2026dgt@1`."""
    return str(uuid.uuid5(identity, name))
