"""Moving refs: always compare and swap, all of a set or none.

References are read through libgit2 and written with `git update-ref --stdin`, which takes git's own locks and stays
fast with a hundred thousand refs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from blastgit.errors import RepoError
from blastgit.plumbing.durable import sync_file_systems
from blastgit.plumbing.process import GitError, git_in_waiting

ZERO = "0" * 40
_LEAST_ROOM = 65_536  # bytes: refs and their locks take a block each
_DURABLE = ("-c", "core.fsync=reference")
_PATIENT = (
    "-c",
    "core.filesRefLockTimeout=5000",
    "-c",
    "core.packedRefsTimeout=5000",
)  # ms; git's own is a tenth of 1 s


class RefMoved(RepoError):
    """A ref was not where the caller last saw it: somebody else was first. Look again and decide anew."""

    kind = "ref-moved"


class RefLocked(RefMoved):
    """A ref is locked by another git process just now. Look again."""

    kind = "ref-locked"


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """One ref and where it goes.

    Attributes:
        ref: The full name.
        new: The object id that it shall have; `ZERO` if it shall go.
        old: The object id that it must have now; None if it must not exist.
    """

    ref: str
    new: str
    old: str | None = None

    def line(self) -> str:
        """Return the update as a line for `git update-ref --stdin`."""
        return f"update {self.ref} {self.new} {self.old or ZERO}\n"


def update_refs(
    directory: Path, updates: Sequence[RefUpdate], message: str, *locks: int, synced: Iterable[Path] = ()
) -> None:
    """Apply all updates or, if any ref is not where it should be, none. The refs are durable on return.

    Args:
        directory: The repository.
        updates: What to move.
        message: For the reflog.
        locks: Descriptors of locks that git shall hold on to as long as it runs.
        synced: Folders whose file systems must be on disk before any ref moves: while they are brought there, git
            locks and checks the refs.

    Raises:
        RefMoved: A ref had another value, or exists already.
        RefLocked: Another process holds the lock of a ref.
        RepoError: The repository cannot be written, or a disk failed.
    """
    lines = "".join(["start\n", *(update.line() for update in updates), "prepare\n"])
    command = (*_DURABLE, *_PATIENT, "update-ref", "-m", message, "--stdin")
    try:
        with git_in_waiting(directory, *command, first=lines.encode(), pass_fds=locks) as go_on:
            sync_file_systems(synced)
            go_on(b"commit\n")
    except GitError as error:
        names = ", ".join(update.ref for update in updates)
        text = error.stderr
        if "File exists" in text:
            raise RefLocked(f"{names}: locked by another git process ({text})") from None
        if any(words in text for words in ("reference already exists", "but expected", "unable to resolve reference")):
            raise RefMoved(f"{names}: moved by somebody else meanwhile ({text})") from None
        if _is_full(directory):  # of which git itself says nothing
            raise RepoError(f"no space left in {directory}: no ref was moved; make room, and repeat the call") from None
        raise RepoError(f"{names} cannot be written in {directory}: {text}") from None


def _is_full(directory: Path) -> bool:
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize < _LEAST_ROOM or (disk.f_files > 0 and disk.f_favail == 0)
