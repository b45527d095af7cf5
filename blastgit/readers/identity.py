"""The identity of a loaded object: the name of its dataset, for citations and logs."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

KEY = "identity"
"""The attribute of an object for its identity; also the key in `meta` of astropy's tables and images, as text."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The source of a loaded object.

    Attributes:
        revision: The revision, `2026dgt@0`.
        path: The file in it, or the rows (`photometry`, `photometry/2026dgt_DES_z_global/DES_z`).
        type: The dataset type.
        sha256: The checksum of a file; "" for rows.
        collection: The collection that was asked, or "".
        out_of_date: Why it is out of date, if it was read although it is; else "".
    """

    revision: str
    path: str
    type: str
    sha256: str = ""
    collection: str = ""
    out_of_date: str = ""

    def __str__(self) -> str:
        return f"{self.revision}:{self.path}"

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "dataset": str(self), "revision": self.revision, "path": self.path, "type": self.type,
            "sha256": self.sha256 or None, "collection": self.collection or None,
            "out_of_date": self.out_of_date or None,
        }  # fmt: skip


def attach(thing: Any, identity: Identity) -> Any:
    """Attach an identity to an object: as an attribute, and in its `meta` (which copies keep) if it has one.

    An object that supports neither (a number, a plain list) is returned as it is.
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
    """Return the name of the dataset from which an object was loaded, `2026dgt@0:…`; "" if it is unknown."""
    found = getattr(thing, KEY, None)
    if isinstance(found, Identity):
        return str(found)
    meta = getattr(thing, "meta", None)
    return str(meta.get(KEY, "")) if isinstance(meta, Mapping) else ""
