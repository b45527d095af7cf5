"""What the last verification of the whole data repo found: derived, for the status page and whatever watches a repo."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from blastgit.maintenance.verify.report import Report

FILE = "verified.json"
"""In the data repo's folder `blastgit`; it may be deleted at any time."""


def note(folder: Path, report: Report) -> None:
    """Keep when a verification ended, what it read, and how much is wrong; not in a folder that may only be read.

    Args:
        folder: The folder `blastgit` of the data repo.
        report: What was found.
    """
    found = {
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "sound": report.is_sound,
        "problems": len(report.problems), "transients": report.transients, "revisions": report.revisions,
        "contents": report.contents, "bytes": report.size, "skipped": report.skipped,
    }  # fmt: skip
    aside = folder / f"{FILE}.{os.getpid()}"
    with suppress(OSError):
        aside.write_text(json.dumps(found) + "\n", encoding="utf-8")
        aside.replace(folder / FILE)


def last(folder: Path) -> dict[str, Any] | None:
    """Return what was kept of the last verification; None if there is nothing to read."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"time", "sound", "problems"} <= found.keys() else None
