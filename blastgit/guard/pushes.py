"""The log of pushes: a line of JSON for each push, including denied ones, in `blastgit/pushes.jsonl` of the repo."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from blastgit.naming.refs import Change

FILE = "blastgit/pushes.jsonl"

_REFS, _REASON = 100, 1000  # limits for denied pushes, so that they cannot fill the disk


def log_push(repo: Path, who: str, changes: Sequence[Change], where: str | None = None, denied: str = "") -> None:
    """Log a push. A failure to write is ignored: the commits themselves name their authors.

    Args:
        repo: The data repo.
        who: The user who pushed, by the name the policy uses.
        changes: The changes of refs.
        where: The address it came from; by default from the server's environment.
        denied: Why it was denied; "" if it was accepted.
    """
    address = where or os.environ.get("REMOTE_ADDR") or os.environ.get("SSH_CLIENT", "").partition(" ")[0]
    shown = changes[:_REFS] if denied else changes
    line: dict[str, object] = {
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "who": who,
        "from": address or None,
        "refs": [{"ref": change.ref, "old": change.old, "new": change.new} for change in shown],
    }
    if denied:
        line["denied"] = denied[:_REASON]
    with suppress(OSError):
        descriptor = os.open(repo / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "ab") as file:
            file.write(json.dumps(line).encode() + b"\n")
