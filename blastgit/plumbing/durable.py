"""Making what was written outlive a power cut: one sync per file system instead of one per file.

Git syncs nothing but packs unless it is told to, and folders never. So its settings are part of every data repo, each
call of git that writes there has them too, and whoever moves refs syncs once more when they have moved.
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
    "core.fsyncMethod": "fsync",  # the others rely on what only some file systems promise
}
"""With these, git has each file on disk before it gives it its name."""

DURABLY = tuple(word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}"))
"""The same as options of git, for repos that were made before they had the settings."""


class DiskFailed(RepoError):
    """A disk did not confirm what was written to it.

    Attributes:
        place: The folder on it.
        reason: What the system said.
    """

    def __init__(self, place: Path, error: OSError) -> None:
        """Say that it must not be relied on."""
        self.place, self.reason = place, error.strerror
        super().__init__(
            f"what was written to {place} could not be brought to disk ({self.reason}), so nothing refers to it: see "
            "to the disk, then repeat the call"
        )


def start_writing(descriptor: int) -> None:
    """Let the disk begin with what was written to a file, where it can: a sync soon after finds less left to do."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # Linux writes what it is told to forget


def sync_file_systems(paths: Iterable[Path]) -> None:
    """Return when everything written so far to the file systems of `paths` is on disk.

    Raises:
        DiskFailed: What was written must not be relied on.
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
    """Return the C library where it has `syncfs` (Linux); elsewhere `sync` does more than is needed, but enough."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    return library if hasattr(library, "syncfs") else None
