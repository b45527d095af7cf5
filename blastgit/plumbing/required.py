"""The git settings that every data repo has: what plain git does in it then loses nothing that blastgit promised."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pygit2

from blastgit.plumbing import durable

REQUIRED: Mapping[str, str] = {
    # What is acknowledged outlives a power cut.
    **durable.SETTINGS,
    # Plain git's own clean-up never starts by itself (`blastgit maintain` does), and never deletes by age: an object
    # without a ref may belong to a revision that is being recorded, and a reflog is evidence of what was published.
    "gc.auto": "0",
    "maintenance.auto": "false",
    "receive.autogc": "false",
    "gc.pruneExpire": "never",
    "gc.reflogExpire": "never",
    "gc.reflogExpireUnreachable": "never",
    # What is pushed or fetched stays one pack, which git guards with a `.keep` until the refs have moved.
    "receive.unpackLimit": "1",
    "fetch.unpackLimit": "1",
    # What is pushed is checked, and nothing that is published can be pushed away.
    "receive.denyNonFastForwards": "true",
    "receive.denyDeletes": "true",
    "receive.fsckObjects": "true",
    "receive.maxInputSize": "1g",
    # Milliseconds that a push waits while refs are being packed; git's own limits are a tenth and one second.
    "core.filesRefLockTimeout": "5000",
    "core.packedRefsTimeout": "5000",
    "core.logAllRefUpdates": "true",
    # Readers may fetch without contents of files (`git clone --filter`).
    "uploadpack.allowFilter": "true",
}
"""Set by `blastgit init` and `blastgit hooks install`; `blastgit verify` names those that are missing."""


def missing_settings(repo: Path) -> dict[str, str]:
    """Return the settings that a data repo lacks or has otherwise, with the values that they should have."""
    config = pygit2.Config(str(repo / "config"))
    return {key: value for key, value in REQUIRED.items() if key not in config or not _equal(config[key], value)}


def _equal(found: str | None, wanted: str) -> bool:
    yes, no = ("true", "yes", "on"), ("false", "no", "off")
    text = (found or "true").lower()  # `[gc] auto` without a value is true to git
    return text == wanted or any(text in words and wanted in words for words in (yes, no))
