"""Whether it is time to pack what writers left (`packing.py`), which each of them asks when it is done."""

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
"""The lock of who packs; no transient's name has a full stop."""

_LOG = "maintain.log"
_LOOSE = 6700  # objects; the threshold of `git gc --auto` as git ships it
_PACKS = 50  # likewise
_PAUSE = 30.0  # seconds from one run that starts by itself to the next: one that fails must not start all the time


def is_due(repository: Repository) -> bool:
    """Whether there are so many loose objects or packs that it is time, judged as `git gc --auto` does.

    The thresholds are the settings `blastgit.maintainLoose` and `blastgit.maintainPacks`, since `gc.auto` has to be 0
    in a data repo; 0 for the first means never.
    """
    objects = repository.path / "objects"
    loose = _setting(repository, "blastgit.maintainLoose", _LOOSE)
    packs = _setting(repository, "blastgit.maintainPacks", _PACKS)
    if loose <= 0:
        return False
    return 256 * entries_of(objects / "17") > loose or entries_of(objects / "pack", ".pack") > packs > 0


def entries_of(folder: Path, suffix: str = "") -> int:
    """Return how many entries of a folder have names that end like this."""
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
    """Start maintenance in a process of its own if it is time; nobody waits for it. Whether it was started.

    A writer calls this when it is done. A failure is no concern of the writer's: the log has it,
    `blastgit/maintain.log` in the repo.
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
    """Start it through a shell that ends at once: the process belongs to nobody then, and leaves no zombie."""
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
