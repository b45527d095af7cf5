"""Making what was written outlive a power cut: one sync per file system instead of one per file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from blastgit.errors import RepoError


def start_writing(descriptor: int) -> None:
    """Let the disk begin with what was written to a file, where it can: a sync soon after finds less left to do."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # Linux writes what it is told to forget


def sync_file_systems(paths: Iterable[Path]) -> None:
    """Return when everything written so far to the file systems of `paths` is on disk.

    Raises:
        RepoError: The disk failed: what was written must not be relied on.
    """
    for path in {path.stat().st_dev: path for path in paths}.values():
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _syncfs(descriptor)
        except OSError as error:
            raise RepoError(
                f"what was written to {path} could not be brought to disk ({error.strerror}), so nothing "
                "refers to it: see to the disk, then repeat the call"
            ) from None
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
