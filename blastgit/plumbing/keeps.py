"""Packs that are about to be referred to are marked to be kept, so that no clean-up of git takes them for waste.

Git leaves a pack alone that has a file `.keep` beside it, whatever it is told to delete; it marks packs so itself while
it receives them. A loose object has no such guard: `git gc --prune=now` deletes one that was written after it had
looked at the refs.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from blastgit.plumbing.evidence import owner_of

_OURS = b"blastgit\n"
_OF_GIT = b"fetch-pack ", b"receive-pack "


def keep(pack: Path) -> int:
    """Mark a pack to be kept, before it is there, and return the descriptor by which others know that it is in use.

    Raises:
        OSError: The mark cannot be made.
    """
    new = pack.with_suffix(f".keep.{os.getpid()}")
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        with suppress(OSError):  # no locks on this file system
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        os.write(descriptor, _OURS)
        new.rename(pack.with_suffix(".keep"))  # whoever sees it under this name sees it locked
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def let_go(pack: Path, descriptor: int) -> None:
    """Take the mark away, now that refs reach the pack, or never will."""
    pack.with_suffix(".keep").unlink(missing_ok=True)
    os.close(descriptor)


def remove_left_keeps(repo: Path) -> None:
    """Take away the marks of processes that were killed; those that people have set stay."""
    for mark in (repo / "objects" / "pack").glob("pack-*.keep*"):
        with suppress(OSError):  # it is in use, another's, or gone by now
            words = mark.read_bytes()[:40]
            if words.startswith(_OURS):
                _remove_if_left(mark)
            elif words.startswith(_OF_GIT) and owner_of(mark, repo) is None:
                mark.unlink()


def _remove_if_left(mark: Path) -> None:
    descriptor = os.open(mark, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mark.unlink()
    finally:
        os.close(descriptor)
