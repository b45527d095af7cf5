"""Which dataset an object in memory is: the name that a citation or a log can give for it."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

KEY = "identity"
"""The attribute that an object carries its identity in; in `meta` of astropy's tables and images, its text."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What an object was read from.

    Attributes:
        revision: The revision, `2026dgt@0`.
        path: The file in it, or the rows (`photometry`, `photometry/2026dgt_DES_z_global/DES_z`).
        type: The dataset type.
        sha256: Of a file, its checksum.
        collection: The collection that it was asked of, or "".
    """

    revision: str
    path: str
    type: str
    sha256: str = ""
    collection: str = ""

    def __str__(self) -> str:
        return f"{self.revision}:{self.path}"

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "dataset": str(self), "revision": self.revision, "path": self.path, "type": self.type,
            "sha256": self.sha256 or None, "collection": self.collection or None,
        }  # fmt: skip


def attach(thing: Any, identity: Identity) -> Any:
    """Return an object with its identity: as an attribute, and in its `meta` if it has one, which copies keep.

    An object that takes neither (a number, a plain list) is returned as it is.
    """
    meta = getattr(thing, "meta", None)
    if isinstance(meta, MutableMapping):
        meta[KEY] = str(identity)
        meta["dataset_type"] = identity.type
        if identity.sha256:
            meta["sha256"] = identity.sha256
    try:
        setattr(thing, KEY, identity)
    except (AttributeError, TypeError):
        return thing
    return thing


def identity_of(thing: Any) -> str:
    """Return the name of the dataset that an object was read from, `2026dgt@0:…`; "" if it is not known."""
    found = getattr(thing, KEY, None)
    if isinstance(found, Identity):
        return str(found)
    meta = getattr(thing, "meta", None)
    return str(meta.get(KEY, "")) if isinstance(meta, Mapping) else ""
