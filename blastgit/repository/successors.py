"""Names that were replaced by others, in sections of `blastgit.yaml` that map former names to present ones."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from blastgit.errors import RepoError


def later(successors: Mapping[str, str], name: str) -> list[str]:
    """Return the names that successively replaced a name, the present one last; empty if it was never replaced.

    Args:
        successors: The name that replaced each former one, without circles.
        name: The name to start from.
    """
    found: list[str] = []
    while name in successors:
        name = successors[name]
        found.append(name)
    return found


def refuse_circle(successors: Mapping[str, str], where: str) -> None:
    """Check that no name replaces itself, directly or indirectly.

    Raises:
        RepoError: One does; the error begins with `where`.
    """
    try:
        TopologicalSorter({old: [new] for old, new in successors.items()}).prepare()
    except CycleError as error:
        raise RepoError(f"{where}: {error.args[1][0]} leads back to itself") from None
