"""Keeps new objects in a separate folder until they are on disk, and only then moves them into the repository.

A file that gets its name before its bytes are on disk is empty after a power cut, and git never rewrites an object that
exists: every later revision that needs it would be damaged. Objects are therefore written into a quarantine folder, as
git itself does for a push, and renamed after the sync that every writer needs anyway. The folder's name does not begin
with `tmp_`, since `git prune --expire=now` removes such folders. Packs are protected until the refs have moved
(`keeps.py`).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from blastgit.plumbing.keeps import keep, let_go

_PREFIX = "incoming-blastgit-"
_TRIES = 5
_AGE = 60.0  # seconds; a folder is locked sooner than this after it is made


@dataclass(frozen=True)
class Quarantine:
    """Objects that were written but are not in the repository yet.

    Attributes:
        path: A folder with the layout of a repository's `objects`.
        objects: The repository's `objects`.
        kept: The packs that were admitted, protected until the quarantine ends.
    """

    path: Path
    objects: Path
    kept: dict[Path, int] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Variables that let git find the objects besides those of the repository."""
        return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates(self.path)}

    def admit(self) -> None:
        """Move the objects into the repository.

        Existing objects are replaced by the new files, so that `git prune` does not consider them old.

        Raises:
            OSError: A folder cannot be written.
        """
        for folder in self.path.iterdir():
            for file in sorted(folder.iterdir(), key=_pack_first):
                target = self.objects / folder.name / file.name
                if file.suffix == ".pack":
                    self.kept[target] = keep(target)
                _move(file, target)


def alternates(*folders: Path) -> str:
    """Return object folders in the form of git's environment variable, quoted since a path may have a colon."""
    texts = (str(folder.absolute()).replace("\\", "\\\\").replace('"', '\\"') for folder in folders)
    return os.pathsep.join(f'"{text}"' for text in texts)


@contextmanager
def quarantine(objects: Path) -> Iterator[Quarantine]:
    """Make a quarantine, and remove it at the end with everything not admitted.

    Raises:
        OSError: It cannot be made.
    """
    folder = Path(mkdtemp(prefix=_PREFIX, dir=objects))
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with suppress(OSError):  # no locks on this file system, so leftovers are not recognised either
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            place = Quarantine(folder, objects)
            try:
                yield place
            finally:
                for pack, mark in place.kept.items():
                    let_go(pack, mark)
        finally:
            os.close(descriptor)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_quarantines(objects: Path) -> None:
    """Remove the quarantines of writers that were killed."""
    for folder in objects.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # it is in use, another's, or gone by now
            _remove_if_left(folder)


def _remove_if_left(folder: Path) -> None:
    if time.time() - folder.stat().st_mtime < _AGE:
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _move(file: Path, target: Path) -> None:
    """Rename a file; its new folder may be missing, and git may remove an empty one at any time."""
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            file.rename(target)
            return
        target.parent.mkdir(exist_ok=True)
    file.rename(target)


def _pack_first(file: Path) -> tuple[bool, str]:
    """Sort packs before their indexes, by which git finds them."""
    return file.suffix == ".idx", file.name
