"""Who pushed what: a line of JSON for each push, denied ones too, in `blastgit/pushes.jsonl` of the data repo."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from blastgit.naming.refs import Change

FILE = "blastgit/pushes.jsonl"

_REFS, _REASON = 100, 1000  # of a push that is denied: it must not fill the disk with words


def log_push(repo: Path, who: str, changes: Sequence[Change], where: str | None = None, denied: str = "") -> None:
    """Write down a push. One that cannot be written down goes through: the refs' commits say who made them.

    Args:
        repo: The data repo.
        who: Who pushed, as the policy knows them.
        changes: The refs, from what to what.
        where: The address that it came from; by default what the server's environment says.
        denied: Why it was not taken in; "" if it was found good.
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
