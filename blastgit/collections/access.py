"""Who may change which collection, and which changes must be confirmed."""

from __future__ import annotations

from collections.abc import Iterable

from blastgit.collections.names import owner_of
from blastgit.collections.policy import CollectionPolicy
from blastgit.errors import Denied
from blastgit.naming.trailers import Trailer
from blastgit.repository.policy import ANONYMOUS, current_identity
from blastgit.repository.settings import Settings


def check_access(settings: Settings, name: str, who: str | None = None) -> None:
    """Check that a user may change a collection, as its owner or as a curator.

    Args:
        settings: The settings on main.
        name: The collection.
        who: The user; by default the current one.

    Raises:
        Denied: The user may not.
    """
    identity, owner = who or current_identity(), owner_of(name)
    if not owner:
        settings.policy.check("curator", identity, name)
    elif identity != owner or identity == ANONYMOUS:
        raise Denied(f"{name} belongs to {owner}: {identity} may not change it")


def check_confirmed(policy: CollectionPolicy, names: Iterable[str], confirmed: Iterable[str]) -> None:
    """Check that the change of every protected collection was confirmed.

    Raises:
        Denied: One was not; the error says how to confirm it.
    """
    missing = sorted(name for name in set(names) - set(confirmed) if policy.is_protected(name))
    if missing:
        raise Denied(
            f"{missing[0]} is protected because many rely on it: to change it anyway, confirm with --yes (in Python: "
            f"Intent(reason, yes=True); in a commit by hand: the trailer `{Trailer.CONFIRMED}: {missing[0]}`)"
        )


def confirmed_in(trailers: Iterable[str]) -> set[str]:
    """Return the collections that the trailers of some commits confirm."""
    return {name.strip() for value in trailers for name in value.split(",") if name.strip()}
