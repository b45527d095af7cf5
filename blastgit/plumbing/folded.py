"""Whether there is a branch whose name differs from another only in case, without listing all branches each time.

Loose branches are looked through; of the packed ones a list is kept that is made again whenever git has packed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_BRANCH = re.compile(rb"^[0-9a-f]{40} refs/heads/([^\n]+)$", re.MULTILINE)


def branches_like(repo: Path, name: str, cache: Path) -> Iterator[str]:
    """Yield the branches of a repository whose name is `name` but for case, also `name` itself.

    Loose ones come first: git puts a branch among the packed ones before it removes the loose one.

    Args:
        repo: The repository.
        name: The name, in ASCII.
        cache: Where to keep the list of packed branches; where it cannot be written, it is made each time.
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
    """Return the packed branches, a line each: the folded name, a tab, the name. The first line is what they are of."""
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
