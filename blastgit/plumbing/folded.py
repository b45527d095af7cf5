"""Finds branches whose names differ only in case, without listing all branches each time.

Loose branches are searched directly; for packed branches a list is cached until git packs again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_BRANCH = re.compile(rb"^[0-9a-f]{40} refs/heads/([^\n]+)$", re.MULTILINE)


def branches_like(repo: Path, name: str, cache: Path) -> Iterator[str]:
    """Yield the branches of a repository whose name equals `name` apart from case, including `name` itself.

    Loose ones come first, since git packs a branch before it removes the loose one.

    Args:
        repo: The repository.
        name: The name, in ASCII.
        cache: The file for the list of packed branches; if it cannot be written, the list is made each time.
    """
    folded = name.casefold()
    above, slash, last = name.rpartition("/")
    with suppress(FileNotFoundError), os.scandir(repo / "refs" / "heads" / above) as entries:
        alike = [each.name for each in entries if each.name.casefold() == last.casefold() and each.is_file()]
        yield from [f"{above}{slash}{each}" for each in alike]
    key = f"\n{folded}\t".encode()
    listed = _listed(repo / "packed-refs", cache)
    at = listed.find(key)
    while at >= 0:
        start = at + len(key)
        end = listed.index(b"\n", start)
        yield listed[start:end].decode("utf-8", "replace")
        at = listed.find(key, end)


def _listed(packed: Path, cache: Path) -> bytes:
    """Return the packed branches, one per line: folded name, tab, name; the first line identifies the file."""
    try:
        state = _state(packed.stat())
    except FileNotFoundError:
        return b"\n"
    with suppress(OSError):
        kept = cache.read_bytes()
        if kept.startswith(state):
            return kept
    return _list(packed, cache)


def _list(packed: Path, cache: Path) -> bytes:
    with packed.open("rb") as file:
        state = _state(os.fstat(file.fileno()))
        names = _BRANCH.findall(file.read())
    lines = b"".join(b"%s\t%s\n" % (name.decode("utf-8", "replace").casefold().encode(), name) for name in names)
    listed = state + lines
    with suppress(OSError):
        part = cache.with_name(f"{cache.name}.{os.getpid()}")
        part.write_bytes(listed)
        part.replace(cache)
    return listed


def _state(found: os.stat_result) -> bytes:
    return f"branches of packed-refs {found.st_ino} {found.st_mtime_ns} {found.st_size}\n".encode()
