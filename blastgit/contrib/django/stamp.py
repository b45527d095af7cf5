"""Adds to an export of the site which revision it is: `metadata.dataset_version`, and the permalink."""

from __future__ import annotations

import logging
from typing import Any

_log = logging.getLogger("blastgit.blast")


def stamped(document: dict[str, Any]) -> dict[str, Any]:
    """Return an export of the site with the number and the permalink of the matching revision.

    Both are null if the transient has changed since it was last recorded, or if that gave a draft: then no revision has
    the same content as the export. If the data repo or the cache is unavailable, this is logged, and both are null.

    Args:
        document: The result of Blast's `export_transient_info`; an empty one is returned unchanged.
    """
    if not document:
        return document
    number, link = None, None
    try:
        number, link = _revision(str(document["transient"]["fields"]["name"]))
    except Exception:  # noqa: BLE001 (data repo, cache, database: the site goes on serving)
        _log.exception("the revision of an export cannot be determined")
    metadata = {**document["metadata"], "dataset_version": number, "permalink": link}
    return {**document, "metadata": metadata}


def _revision(name: str) -> tuple[int | None, str | None]:
    from blastgit.api.repo import DataRepo
    from blastgit.contrib.blast.ledger import Ledger
    from blastgit.contrib.blast.standing import standings
    from blastgit.contrib.django.history import open_draft, permalink
    from blastgit.contrib.django.options import options

    ledger, told = Ledger(), options()
    standing = ledger.with_edits(list(standings([name])))
    if not standing or ledger.recorded([name]).get(name) != standing[0].state:
        return None, None
    repo = DataRepo(told.repo)
    if open_draft(repo, name) is not None:
        return None, None  # the state was recorded, but got no revision number
    number = repo.log(name)[0].revision.number
    return number, permalink(name, number, told)
