"""A temporary folder for the life of a process; leftovers of killed processes are removed when the next one is made."""

from __future__ import annotations

import fcntl
import os
import shutil
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir, mkdtemp

_PREFIX = "blastgit-mirror-"
_OWNER, _NEW = "owner", "owner.new"


class Scratch:
    """A folder that is locked as long as its process lives, so that others know whether it is still in use.

    Attributes:
        path: The folder.
    """

    def __init__(self) -> None:
        """Make a folder, and remove those whose processes were killed."""
        _clear(Path(gettempdir()))
        self.path = Path(mkdtemp(prefix=_PREFIX))
        self._descriptor = os.open(self.path / _NEW, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        (self.path / _NEW).rename(self.path / _OWNER)  # under this name it is always locked

    def remove(self) -> None:
        """Remove the folder and its contents."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._descriptor)


def _clear(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # it is in use, another's, or gone by now
            _remove_if_left(folder)


def _remove_if_left(folder: Path) -> None:
    if folder.lstat().st_uid != os.geteuid():
        return
    descriptor = os.open(folder / _OWNER, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
