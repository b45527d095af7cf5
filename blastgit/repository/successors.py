"""Names that gave way to others: sections of `blastgit.yaml` that map former names to present ones."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from blastgit.errors import RepoError


def later(successors: Mapping[str, str], name: str) -> list[str]:
    """Return the names that came after one, the present one last; empty if it never gave way to another.

    Args:
        successors: The name that came after each former one, without circles.
        name: The name to begin with.
    """
    found: list[str] = []
    while name in successors:
        name = successors[name]
        found.append(name)
    return found


def refuse_circle(successors: Mapping[str, str], where: str) -> None:
    """Check that no name comes after itself.

    Raises:
        RepoError: One does; the error begins with `where`.
    """
    try:
        TopologicalSorter({old: [new] for old, new in successors.items()}).prepare()
    except CycleError as error:
        raise RepoError(f"{where}: {error.args[1][0]} comes back to itself") from None
