"""Makes written data survive a power cut, with one sync per file system instead of one per file.

By default git only syncs packs, and never folders. Every data repo and every writing git command therefore has settings
to sync everything, and moving refs is followed by another sync.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from blastgit.errors import RepoError

SETTINGS = {
    "core.fsync": "all",
    "core.fsyncMethod": "fsync",  # other methods rely on guarantees of some file systems
}
"""With these, git syncs each file before it gets its name."""

DURABLY = tuple(word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}"))
"""The same as options of git, for repos older than these settings."""


class DiskFailed(RepoError):
    """A disk did not confirm a write.

    Attributes:
        place: The folder on it.
        reason: The error of the system.
    """

    def __init__(self, place: Path, error: OSError) -> None:
        """Make the error for a failed sync."""
        self.place, self.reason = place, error.strerror
        super().__init__(
            f"what was written to {place} could not be synced to disk ({self.reason}), so nothing refers to it: check "
            "the disk, then try again"
        )


def start_writing(descriptor: int) -> None:
    """Start writing a file back to disk, if the system supports it, so that a later sync is faster."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # on Linux this starts the writeback


def sync_file_systems(paths: Iterable[Path]) -> None:
    """Return when everything written so far to the file systems of `paths` is on disk.

    Raises:
        DiskFailed: The written data may not be on disk.
    """
    done: set[int] = set()
    for path in paths:
        try:
            device = path.stat().st_dev
            if device not in done:
                _sync_file_system_of(path)
        except OSError as error:
            raise DiskFailed(path, error) from None
        done.add(device)


def _sync_file_system_of(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _syncfs(descriptor)
    finally:
        os.close(descriptor)


def _syncfs(descriptor: int) -> None:
    library = _libc()
    if library is None:
        os.sync()
    elif library.syncfs(descriptor):
        import ctypes

        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


@cache
def _libc() -> Any | None:
    """Return the C library if it has `syncfs` (Linux); elsewhere `sync` is used, which does more than necessary."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    return library if hasattr(library, "syncfs") else None
