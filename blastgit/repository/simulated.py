"""Real and simulated data never mix: what a repo says of itself, and what an export says of itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from blastgit.errors import InvalidExport

if TYPE_CHECKING:
    from blastgit.repository.base import Repository
    from blastgit.revision.export import Export

KEY = "simulated"
"""The key of an export's metadata that tells. A repo of simulated data adds it to all that it records."""

WORDS = {False: "real", True: "simulated"}


def kind_of(export: Export) -> bool | None:
    """Return whether an export says that it is simulated; None if it says nothing, as Blast's own do.

    Raises:
        InvalidExport: It says something else.
    """
    stated = export.document["metadata"].get(KEY)
    if stated is not None and not isinstance(stated, bool):
        raise InvalidExport(f"metadata.{KEY} should be true or false, and is {stated!r:.40}")
    return False if stated is None and export.is_published else stated


def check_simulated(export: Export, repository: Repository) -> Export:
    """Return an export as a repo records it, if it does not say that it is of the other kind.

    Raises:
        InvalidExport: It does.
    """
    simulated, stated = repository.settings.simulated, kind_of(export)
    if stated is not None and stated != simulated:
        raise InvalidExport(
            f"these data of {export.name} are {WORDS[stated]}, and {repository.location} holds {WORDS[simulated]} "
            "data: the two never mix; record them in a repo of their own kind"
        )
    if not simulated or stated:
        return export
    document = export.document
    return replace(export, document={**document, "metadata": {**document["metadata"], KEY: True}})
