"""Decides whether it is time to pack the repo (`packing.py`); every writer checks this when it has finished."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blastgit.repository.base import Repository

LOCK = ".maintain"
"""The name of the lock for packing; no transient's name has a full stop."""

_LOG = "maintain.log"
_LOOSE = 6700  # objects; the threshold of `git gc --auto` as git ships it
_PACKS = 50  # the same
_PAUSE = 30.0  # seconds between automatic runs, so that failing ones do not start all the time


def is_due(repository: Repository) -> bool:
    """Whether there are too many loose objects or packs, by the criteria of `git gc --auto`.

    The thresholds are the settings `blastgit.maintainLoose` and `blastgit.maintainPacks`, since `gc.auto` must be 0 in
    a data repo; 0 for the first means never.
    """
    objects = repository.path / "objects"
    loose = _setting(repository, "blastgit.maintainLoose", _LOOSE)
    packs = _setting(repository, "blastgit.maintainPacks", _PACKS)
    if loose <= 0:
        return False
    return 256 * entries_of(objects / "17") > loose or entries_of(objects / "pack", ".pack") > packs > 0


def entries_of(folder: Path, suffix: str = "") -> int:
    """Return the number of entries of a folder whose names end with a suffix."""
    try:
        with os.scandir(folder) as entries:
            return sum(entry.name.endswith(suffix) for entry in entries)
    except OSError:
        return 0


def _setting(repository: Repository, key: str, usual: int) -> int:
    try:
        return repository.git.config.get_int(key)
    except (KeyError, ValueError):
        return usual


def start_if_due(repository: Repository) -> bool:
    """Start maintenance in the background if it is due; return whether it was started.

    Writers call this when they have finished. Failures do not concern them; they are logged in `blastgit/maintain.log`
    in the repo.
    """
    if not repository.is_here or not is_due(repository):
        return False
    if repository.lock_path(LOCK).exists() or _was_tried(repository.work_folder / _LOG):
        return False
    with suppress(OSError):
        _start(repository)
        return True
    return False


def _was_tried(log: Path) -> bool:
    try:
        return 0 <= time.time() - log.stat().st_mtime < _PAUSE
    except FileNotFoundError:
        return False


def _start(repository: Repository) -> None:
    """Start maintenance through a shell that exits at once, so that the process is orphaned and leaves no zombie."""
    import shlex
    import subprocess

    from blastgit.plumbing.process import git_environment

    log = repository.work_folder / _LOG
    words = [sys.executable, "-m", "blastgit", "-C", str(repository.path.absolute()), "maintain", "--auto"]
    package = str(Path(__file__).resolve().parents[2])
    search = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
    line = f"exec nice {shlex.join(words)} </dev/null >{shlex.quote(str(log))} 2>&1 &"
    subprocess.run(
        ["/bin/sh", "-c", line],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=git_environment({"PYTHONPATH": search}),
        start_new_session=True,
        check=False,
    )
