"""Keeps real and simulated data apart, by the settings of a repo and the metadata of an export."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from blastgit.errors import InvalidExport

if TYPE_CHECKING:
    from blastgit.repository.base import Repository
    from blastgit.revision.export import Export

KEY = "simulated"
"""The key in an export's metadata. A repo of simulated data adds it to everything that it records."""

WORDS = {False: "real", True: "simulated"}


def kind_of(export: Export) -> bool | None:
    """Return whether an export is marked as simulated; None if it does not say, like Blast's own exports.

    Raises:
        InvalidExport: The mark is neither true nor false.
    """
    stated = export.document["metadata"].get(KEY)
    if stated is not None and not isinstance(stated, bool):
        raise InvalidExport(f"metadata.{KEY} should be true or false, not {stated!r:.40}")
    return False if stated is None and export.is_published else stated


def check_simulated(export: Export, repository: Repository) -> Export:
    """Return an export with the mark of the repo, if it is not of the other kind.

    Raises:
        InvalidExport: Only one of the export and the repo is simulated.
    """
    simulated, stated = repository.settings.simulated, kind_of(export)
    if stated is not None and stated != simulated:
        raise InvalidExport(
            f"these data of {export.name} are {WORDS[stated]}, but {repository.location} holds {WORDS[simulated]} "
            "data, and the two must not be mixed: record them in a repo of their own kind"
        )
    if not simulated or stated:
        return export
    document = export.document
    return replace(export, document={**document, "metadata": {**document["metadata"], KEY: True}})
