"""The git settings of every data repo, with which plain git keeps blastgit's guarantees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pygit2

from blastgit.plumbing import durable

REQUIRED: Mapping[str, str] = {
    # What is acknowledged survives a power cut.
    **durable.SETTINGS,
    # Plain git's own clean-up never starts automatically (`blastgit maintain` does), and never deletes by age: an
    # object without a ref may belong to a revision being recorded, and reflogs are evidence of what was published.
    "gc.auto": "0",
    "maintenance.auto": "false",
    "receive.autogc": "false",
    "gc.pruneExpire": "never",
    "gc.reflogExpire": "never",
    "gc.reflogExpireUnreachable": "never",
    # What is pushed or fetched stays one pack, which git protects with a `.keep` until the refs have moved.
    "receive.unpackLimit": "1",
    "fetch.unpackLimit": "1",
    # Pushed objects are checked, and pushes cannot remove anything published.
    "receive.denyNonFastForwards": "true",
    "receive.denyDeletes": "true",
    "receive.fsckObjects": "true",
    "receive.maxInputSize": "1g",
    # Milliseconds that a push waits while refs are being packed; git's own limits are a tenth and one second.
    "core.filesRefLockTimeout": "5000",
    "core.packedRefsTimeout": "5000",
    "core.logAllRefUpdates": "true",
    # Readers may make partial clones (`git clone --filter`).
    "uploadpack.allowFilter": "true",
}
"""Set by `blastgit init` and `blastgit hooks install`; `blastgit verify` lists missing ones."""


def missing_settings(repo: Path) -> dict[str, str]:
    """Return the settings that are missing or different in a data repo, with the required values."""
    config = pygit2.Config(str(repo / "config"))
    return {key: value for key, value in REQUIRED.items() if key not in config or not _equal(config[key], value)}


def _equal(found: str | None, wanted: str) -> bool:
    yes, no = ("true", "yes", "on"), ("false", "no", "off")
    text = (found or "true").lower()  # `[gc] auto` without a value is true to git
    return text == wanted or any(text in words and wanted in words for words in (yes, no))
