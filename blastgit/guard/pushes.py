"""Who pushed what: a line of JSON for each push that was found good, in `blastgit/pushes.jsonl` of the data repo."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from blastgit.naming.refs import Change

FILE = "blastgit/pushes.jsonl"


def log_push(repo: Path, who: str, changes: Iterable[Change], where: str | None = None) -> None:
    """Write down a push. One that cannot be written down goes through: the refs' commits say who made them.

    Args:
        repo: The data repo.
        who: Who pushed, as the policy knows them.
        changes: The refs, from what to what.
        where: The address that it came from; by default what the server's environment says.
    """
    address = where or os.environ.get("REMOTE_ADDR") or os.environ.get("SSH_CLIENT", "").partition(" ")[0]
    line = {
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "who": who,
        "from": address or None,
        "refs": [{"ref": change.ref, "old": change.old, "new": change.new} for change in changes],
    }
    with suppress(OSError):
        descriptor = os.open(repo / FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "ab") as file:
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
