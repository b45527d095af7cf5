"""Which transients there are, with what is to be known of each at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from blastgit.handle import Handle
from blastgit.history import History
from blastgit.withdrawn import Withdrawals


@dataclass(frozen=True)
class Transient:
    """One transient and its latest revision.

    Attributes:
        name: Its name.
        revision: The number of its latest revision.
        time: When Blast wrote that (UTC).
        app_version: The version of Blast that did.
        files: How many files it has.
        size: Their bytes.
        status: "complete", or which stages failed.
        withdrawn: How many of its files were taken down.
    """

    name: str
    revision: int
    time: datetime
    app_version: str
    files: int
    size: int
    status: str
    withdrawn: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the transient under its stable keys."""
        return {
            "transient": self.name, "revision": self.revision, "time": self.time.isoformat(),
            "app_version": self.app_version, "files": self.files, "bytes": self.size, "status": self.status,
            "withdrawn": self.withdrawn,
        }  # fmt: skip


def list_transients(handle: Handle, pattern: str = "*") -> list[Transient]:
    """Return the transients whose name matches a shell pattern, sorted by name."""
    history, withdrawals = History(handle), Withdrawals(handle)
    found = []
    for name in history.transients():
        latest = history.latest(name) if fnmatchcase(name, pattern) else None
        if latest is not None:
            said = latest.trailers
            counts = _number(said.get("Files")), _number(said.get("Bytes"))
            status = said.get("Status", "")
            gone = len(withdrawals.of(name, latest.number))
            found.append(Transient(name, latest.number, latest.time, latest.app_version, *counts, status, gone))
    return found


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isdecimal() and len(text) < 20 else 0
