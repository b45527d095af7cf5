"""Which revision an export of the site is: `metadata.dataset_version`, and where it stays."""

from __future__ import annotations

import logging
from typing import Any

_log = logging.getLogger("blastgit.blast")


def stamped(document: dict[str, Any]) -> dict[str, Any]:
    """Return an export of the site with the number of the revision that it is, and its permalink.

    Both are null if the transient does not stand as it was recorded last, or was kept as a draft: then no revision says
    what the export says.
    An export does not depend on it: if the data repo or the cache is away, that is logged, and both are null.

    Args:
        document: What Blast's `export_transient_info` returned; nothing is returned as nothing.
    """
    if not document:
        return document
    number, link = None, None
    try:
        number, link = _revision(str(document["transient"]["fields"]["name"]))
    except Exception:  # noqa: BLE001 (data repo, cache, database: the site goes on serving)
        _log.exception("which revision an export is cannot be said")
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
        return None, None  # what stands there was recorded, and got no number
    number = repo.log(name)[0].revision.number
    return number, permalink(name, number, told)
