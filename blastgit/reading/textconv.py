"""Readable forms of pointers and revisions for `git diff`: values by natural path, without keys and row order."""

from __future__ import annotations

import os
import shlex
import sys
from math import isfinite
from pathlib import Path

from blastgit.errors import BlastgitError
from blastgit.plumbing.process import git_folder, run_git
from blastgit.revision.compare import jsonable
from blastgit.revision.document import Json
from blastgit.revision.dr import read_dr
from blastgit.revision.normalise import normalise
from blastgit.revision.rules import default_rules
from blastgit.revision.words import show_value
from blastgit.store.pointer import read_pointer


def set_up(clone: Path) -> None:
    """Configure git in a clone to show the files that `.gitattributes` of a data repo names.

    This also disables the user's own list of ignored files in the clone: in revisions whose `.gitignore` does not yet
    re-include folders, `dvc pull` silently skips folders that match the list.

    Git does not cache the texts: that needs a committer identity, and `git diff` would fail without one.

    Raises:
        RepoError: The folder is not a git repository.
    """
    command = f"{shlex.quote(sys.executable)} -m blastgit textconv"
    folder = git_folder(clone)
    for kind in ("pointer", "revision"):
        run_git(folder, "config", f"diff.blastgit-{kind}.textconv", f"{command} {kind}")
    run_git(folder, "config", "core.excludesFile", os.devnull)


def textconv(kind: str, data: bytes) -> str:
    """Return the readable form of a "pointer" or a "revision"; unreadable data are returned unchanged."""
    try:
        return _pointer(data) if kind == "pointer" else _revision(data)
    except BlastgitError:
        return data.decode("utf-8", "replace")


def _pointer(data: bytes) -> str:
    name = data.decode("utf-8", "replace").rpartition("path: ")[2].strip().strip("'")
    pointer = read_pointer(data, f"{name}.dvc")
    return f"{pointer.name}: {pointer.size:,} bytes, md5 {pointer.md5}\n"


def _revision(data: bytes) -> str:
    document = read_dr(data, "the revision")
    lines = [f"revision {document.number} of {document.export.name}, by {document.export.app_version}"]
    rules = default_rules()
    for row in sorted(normalise(document.export, rules).rows(), key=lambda row: row.path):
        for field, value in sorted(row.values.items()):
            lines.append(f"{row.path}.{field}: {_text(value, exact=isfinite(rules.limit(field)))}")
    return "\n".join(lines) + "\n"


def _text(value: Json, *, exact: bool) -> str:
    """Format a value, rounding floats unless `exact`: Blast's results vary in their last digits.

    Thirteen digits show every difference above the tolerance of 1e-12.
    """
    if isinstance(value, float) and isfinite(value) and not exact:
        return f"{value:.13g}"
    return show_value(jsonable(value))
