"""Finding a transient by an alias that its latest revision states, or by its display name."""

from __future__ import annotations

from blastgit.errors import BlastgitError
from blastgit.handle import Handle
from blastgit.history import History

LIMIT = 5_000
"""Transients up to which all documents are looked through; it takes a fraction of a millisecond for each."""


def find_alias(handle: Handle, alias: str) -> str | None:
    """Return the transient of an alias, ignoring case; None if there is none, or more transients than `LIMIT`.

    Who asks by a name that no transient has can wait for this. Several with the same alias: the first by name.
    """
    if not handle.is_here:
        return None
    history = History(handle)
    names = history.transients()
    if len(names) > LIMIT:
        return None
    wanted = alias.casefold()
    for name in names:
        try:
            latest = history.latest(name)
            if latest is None or wanted not in latest.dr_bytes.decode("utf-8", "replace").casefold():
                continue
            fields = latest.dr.export.document["transient"]["fields"]
        except BlastgitError:
            continue  # `verify` is for these
        known = [*(fields.get("aliases") or []), fields.get("display_name")]
        if wanted in {str(each).casefold() for each in known if each}:
            return name
    return None
