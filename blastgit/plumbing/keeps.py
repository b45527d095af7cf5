"""Protects packs that refs do not reach yet from git's clean-up.

Git never deletes a pack with a file `.keep` beside it; it uses this itself while it receives packs. Loose objects
cannot be protected: `git gc --prune=now` deletes one that was written after it read the refs.
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
    """Protect a pack before it exists, and return the descriptor that shows others that it is in use.

    Raises:
        OSError: The mark cannot be made.
    """
    new = pack.with_suffix(f".keep.{os.getpid()}")
    descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        with suppress(OSError):  # no locks on this file system
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        os.write(descriptor, _OURS)
        new.rename(pack.with_suffix(".keep"))  # under this name it is always locked
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def let_go(pack: Path, descriptor: int) -> None:
    """Remove the mark, now that refs reach the pack or never will."""
    pack.with_suffix(".keep").unlink(missing_ok=True)
    os.close(descriptor)


def remove_left_keeps(repo: Path) -> None:
    """Remove the marks of processes that were killed; those set by people stay."""
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
