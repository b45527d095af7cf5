"""Looking into a revision: its document, one row or value of it, or one of its files."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from blastgit.errors import NotFound
from blastgit.handle import Handle
from blastgit.history import Revision
from blastgit.revision.compare import jsonable
from blastgit.revision.document import Json
from blastgit.revision.normalise import normalise
from blastgit.withdrawn import Stones, Withdrawals


@dataclass(frozen=True)
class Shown:
    """What a person asked to see.

    Attributes:
        revision: The revision, `2026dgt@1`.
        path: What was asked for inside it, or None.
        kind: "document", "field", "rows" or "file".
        value: The JSON value.
    """

    revision: str
    path: str | None
    kind: str
    value: Any

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {"revision": self.revision, "path": self.path, "kind": self.kind, "value": self.value}


def show(handle: Handle, revision: Revision, path: str | None) -> Shown:
    """Return the document of a revision, or what stands at `path` in it.

    Args:
        handle: The data repo.
        revision: The revision.
        path: A file (`cutout_cdn/DES/DES_z.fits`), a natural path (`host.redshift`, `photometry/…/SDSS_r.flux`), the
            beginning of one (`host`, `sed/global`), or keys of the document (`metadata.app_version`); None for the
            whole document.

    Raises:
        NotFound: Nothing stands there; the error names the nearest.
    """
    if path is None:
        return Shown(str(revision), None, "document", revision.dr.document())
    path = path.rstrip("/")
    gone = Withdrawals(handle).of(revision.name, revision.number)
    if path in revision.pointers:
        return Shown(str(revision), path, "file", _file_facts(revision, path, gone))
    values = normalise(revision.dr.export, handle.rules).values
    if path in values:
        return Shown(str(revision), path, "field", jsonable(values[path]))
    below = {key: jsonable(value) for key, value in values.items() if key.startswith((f"{path}.", f"{path}/"))}
    if below:
        return Shown(str(revision), path, "rows", below)
    files = {name: _file_facts(revision, name, gone) for name in revision.pointers if name.startswith(f"{path}/")}
    if files:
        return Shown(str(revision), path, "rows", files)
    found = _in_document(revision.dr.document(), path.split("."))
    if found is not None:
        return Shown(str(revision), path, "field", found)
    near = difflib.get_close_matches(path, [*values, *revision.pointers], n=3, cutoff=0.5)
    hint = f"; near it: {', '.join(near)}" if near else ""
    raise NotFound(f"{revision} has no {path!r} (empty values count as absent){hint}")


def _in_document(value: Json, keys: list[str]) -> Json:
    """Follow keys into the document as it stands, to what the rules pass over; None if they lead nowhere."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _file_facts(revision: Revision, path: str, gone: Stones) -> dict[str, Any]:
    pointer = revision.pointers[path]
    withdrawn = str(gone[path]) if path in gone else None
    return {"size": pointer.size, "md5": pointer.md5, "sha256": revision.sha256(path), "withdrawn": withdrawn}
