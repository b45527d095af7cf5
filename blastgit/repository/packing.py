"""Keeping a repo fast: refs and objects into packs, beside writers and without a pause for them, and durably.

Every step is one that git itself allows at any time. Nothing is ever pruned here: an object without a ref may belong to
a revision that is being recorded, and git's geometric repack takes loose objects along whether they are reached or not.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blastgit.plumbing.batch import make_folders
from blastgit.plumbing.durable import DURABLY, sync_file_systems
from blastgit.plumbing.git_locks import OF_ALL_REFS, OF_LEDGER, OF_PACKED, OF_PACKING, PACKED
from blastgit.plumbing.keeps import remove_left_keeps
from blastgit.plumbing.locks import BRIEFLY, Journal, Lock, hold
from blastgit.plumbing.process import GitError, git_environment, run_git
from blastgit.plumbing.quarantine import remove_left_quarantines
from blastgit.progress import Progress, silent
from blastgit.repository.base import LOCK_TIMEOUT, Repository
from blastgit.repository.identity import repo_identity
from blastgit.repository.ledger.checkpoint import LEDGER_LOCK, make_checkpoint

_LOCK = ".maintain"  # no transient's name has a full stop
_LOG = "maintain.log"
_LOOSE = 6700  # objects; the threshold of `git gc --auto` as git ships it
_PACKS = 50  # likewise
_PAUSE = 30.0  # seconds from one run that starts by itself to the next: one that fails must not start all the time
_WINDOW = "--window=3"  # objects to try a delta against: with git's ten a pack is 1 % smaller, and takes twice the time
_REFS = "packing refs"
_STEPS: Mapping[str, tuple[str, ...]] = {
    _REFS: ("pack-refs", "--all"),
    "packing objects": ("repack", "--quiet", "-d", "--geometric=2", "--write-midx", _WINDOW),
    "writing the commit graph": ("commit-graph", "write", "--reachable", "--split", "--no-progress"),
}


@dataclass(frozen=True)
class Counts:
    """What slows a repo down when there is much of it: loose objects, packs, loose refs."""

    objects: int
    packs: int
    refs: int

    def to_json(self) -> dict[str, int]:
        """Return the counts under their stable keys."""
        return {"loose_objects": self.objects, "packs": self.packs, "loose_refs": self.refs}


@dataclass(frozen=True)
class Maintained:
    """What was done.

    Attributes:
        was_due: Whether there was anything to do; only a run that starts by itself asks.
        before: The state of the repo before.
        after: And now.
    """

    was_due: bool
    before: Counts
    after: Counts

    def to_json(self) -> dict[str, Any]:
        """Return the result under its stable keys."""
        return {"was_due": self.was_due, "before": self.before.to_json(), "after": self.after.to_json()}


def maintain(repository: Repository, *, only_if_due: bool = False, progress: Progress = silent) -> Maintained:
    """Pack refs and objects, and write the commit graph.

    Args:
        repository: The data repo.
        only_if_due: Do nothing while there is little to pack.
        progress: Told of the steps.

    Raises:
        Busy: Another process is at it.
        RepoError: Git fails, or the repo cannot be written.
    """
    repository.prepare_to_edit()
    before = count(repository.path)
    if only_if_due and not is_due(repository):
        return Maintained(was_due=False, before=before, after=before)
    _do(repository, _STEPS, progress)
    return Maintained(was_due=True, before=before, after=count(repository.path))


def maintain_after_bulk(repository: Repository) -> None:
    """Pack the many refs that bulk work has made; all else, of which it makes little, only if it is time.

    Raises:
        Busy: Another process is at it.
        RepoError: Git fails, or the repo cannot be written.
    """
    _do(repository, _STEPS if is_due(repository) else {_REFS: _STEPS[_REFS]})


def _do(repository: Repository, steps: Mapping[str, tuple[str, ...]], progress: Progress = silent) -> None:
    with hold(repository.lock_path(_LOCK), timeout=BRIEFLY) as lock:
        lock.announce(Journal.own(locks=OF_PACKING))
        with hold(repository.lock_path(LEDGER_LOCK), timeout=BRIEFLY) as ledger:
            ledger.announce(Journal.own(locks=OF_LEDGER))
            make_checkpoint(
                repository.git, repository.path, f"urn:uuid:{repo_identity(repository)}", repository.committer()
            )
        for done, (what, step) in enumerate(steps.items()):
            progress(what, done, len(steps))
            with _refs_held(repository) if what == _REFS else nullcontext(lock) as held:
                _run(repository.path, step, {lock, held})
                sync_file_systems([repository.path])
        remove_left_quarantines(repository.path / "objects")
        remove_left_keeps(repository.path)
        with suppress(OSError):  # writers make those that they need
            make_folders(repository.path / "objects")  # git removes those that have become empty


def _run(repo: Path, step: tuple[str, ...], locks: set[Lock]) -> None:
    """Run git, and once more if it fails: each step may be repeated, and one that was killed is not done."""
    descriptors = tuple(lock.descriptor for lock in locks)
    try:
        run_git(repo, *DURABLY, *step, pass_fds=descriptors)
    except GitError:
        for lock in locks:
            lock.drop_git_locks()
        run_git(repo, *DURABLY, *step, pass_fds=descriptors)


@contextmanager
def _refs_held(repository: Repository) -> Iterator[Lock]:
    """Hold what has `packed-refs` locked, and each loose ref for a moment; whoever deletes a ref waits for it."""
    with hold(repository.work_folder / "locks" / PACKED, LOCK_TIMEOUT) as lock:
        lock.announce(Journal.own(locks=(*OF_PACKED, OF_ALL_REFS)))
        yield lock


def is_due(repository: Repository) -> bool:
    """Whether there are so many loose objects or packs that it is time, judged as `git gc --auto` does.

    The thresholds are the settings `blastgit.maintainLoose` and `blastgit.maintainPacks`, since `gc.auto` has to be 0
    in a data repo; 0 for the first means never.
    """
    objects = repository.path / "objects"
    loose = _setting(repository, "blastgit.maintainLoose", _LOOSE)
    packs = _setting(repository, "blastgit.maintainPacks", _PACKS)
    return 256 * _entries(objects / "17") > loose > 0 or (loose > 0 and _entries(objects / "pack", ".pack") > packs > 0)


def _entries(folder: Path, suffix: str = "") -> int:
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
    if repository.lock_path(_LOCK).exists() or _was_tried(repository.work_folder / _LOG):
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


def count(repo: Path) -> Counts:
    """Count what there is to pack."""
    folders = [repo / "objects" / f"{number:02x}" for number in range(256)]
    objects = sum(_entries(folder) for folder in folders)
    refs = sum(len(files) for _, _, files in os.walk(repo / "refs"))
    return Counts(objects, _entries(repo / "objects" / "pack", ".pack"), refs)
