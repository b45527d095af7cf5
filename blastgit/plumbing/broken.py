"""Finds broken refs, which libgit2 silently ignores."""

from __future__ import annotations

import os
import re
from pathlib import Path

_REF = re.compile(rb"(?:[0-9a-f]{40}|ref: refs/[^\n]+)\s*")


def broken_refs(repo: Path) -> list[str]:
    """Return the sorted loose refs of a repository whose file has no object id. Reads every loose ref.

    Such files are left by a failed disk or a power cut. Git warns of them and ignores them.
    """
    found = []
    for folder, _, names in os.walk(repo / "refs"):
        for name in names:
            path = Path(folder) / name
            if not name.endswith(".lock") and not _REF.fullmatch(_read(path)):
                found.append(str(path.relative_to(repo)))
    return sorted(found)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b"0" * 40  # packed or deleted meanwhile
    except OSError:
        return b""
