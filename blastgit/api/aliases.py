"""Finding a transient by an alias that its latest revision states, or by its display name."""

from __future__ import annotations

from blastgit.errors import BlastgitError
from blastgit.repository.base import Repository
from blastgit.repository.history import History

LIMIT = 5_000
"""Up to this many transients, all documents are searched, at a fraction of a millisecond each."""


def find_alias(repository: Repository, alias: str) -> str | None:
    """Return the transient that has an alias, ignoring case, or None; of several, the first by name.

    With more transients than `LIMIT` the index is queried, if there is one. It is neither built nor updated for this:
    the name may be a typo.
    """
    if not repository.is_here:
        return None
    history = History(repository)
    names = history.transients()
    if len(names) > LIMIT:
        names = _indexed(repository, alias)
    wanted = alias.casefold()
    for name in names:
        try:
            latest = history.latest(name)
            if latest is None or wanted not in latest.dr_bytes.decode("utf-8", "replace").casefold():
                continue
            fields = latest.dr.export.document["transient"]["fields"]
        except BlastgitError:
            continue  # `verify` reports these
        known = [*(fields.get("aliases") or []), fields.get("display_name")]
        if wanted in {str(each).casefold() for each in known if each}:
            return name
    return None


def _indexed(repository: Repository, alias: str) -> list[str]:
    """Return the transients that have an alias according to the index as it is; none if it cannot be read."""
    from blastgit.api.index import Index

    asked = "SELECT DISTINCT transient FROM aliases WHERE kind <> 'host' AND lower(alias) = lower(?) ORDER BY 1"
    try:
        with Index(repository).open(as_is=True) as index:
            return [str(name) for (name,) in index.query(asked, [alias])]
    except BlastgitError:
        return []
