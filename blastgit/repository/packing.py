"""Keeping a repo fast: packing refs and objects durably, without blocking writers.

Git allows every step at any time. Nothing is ever pruned: an object without a ref may belong to a revision that is
being recorded, and git's geometric repack includes unreachable loose objects.
"""

from __future__ import annotations

import os
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
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.quarantine import remove_left_quarantines
from blastgit.progress import Progress, silent
from blastgit.repository.base import LOCK_TIMEOUT, Repository
from blastgit.repository.due import LOCK, entries_of, is_due
from blastgit.repository.identity import repo_identity
from blastgit.repository.ledger.checkpoint import LEDGER_LOCK, make_checkpoint

_WINDOW = "--window=3"  # objects to try for a delta: with git's ten, packs are 1 % smaller but take twice the time
_REFS = "packing refs"
_STEPS: Mapping[str, tuple[str, ...]] = {
    _REFS: ("pack-refs", "--all"),
    "packing objects": ("repack", "--quiet", "-d", "--geometric=2", "--write-midx", _WINDOW),
    "writing the commit graph": ("commit-graph", "write", "--reachable", "--split", "--no-progress"),
}


@dataclass(frozen=True)
class Counts:
    """The numbers of loose objects, packs and loose refs, which slow a repo down."""

    objects: int
    packs: int
    refs: int

    def to_json(self) -> dict[str, int]:
        """Return the counts under their stable keys."""
        return {"loose_objects": self.objects, "packs": self.packs, "loose_refs": self.refs}


@dataclass(frozen=True)
class Maintained:
    """The result of maintenance.

    Attributes:
        was_due: Whether there was anything to do; always true unless `only_if_due`.
        before: The counts before.
        after: The counts after.
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
        only_if_due: Do nothing if there is little to pack.
        progress: Called with the steps.

    Raises:
        Busy: Another process is packing.
        RepoError: Git fails, or the repo cannot be written.
    """
    repository.prepare_to_edit()
    before = count(repository.path)
    if only_if_due and not is_due(repository):
        return Maintained(was_due=False, before=before, after=before)
    _do(repository, _STEPS, progress)
    return Maintained(was_due=True, before=before, after=count(repository.path))


def maintain_after_bulk(repository: Repository) -> None:
    """Pack the many refs made by a bulk operation; do the other steps only if they are due.

    Raises:
        Busy: Another process is packing.
        RepoError: Git fails, or the repo cannot be written.
    """
    _do(repository, _STEPS if is_due(repository) else {_REFS: _STEPS[_REFS]})


def _do(repository: Repository, steps: Mapping[str, tuple[str, ...]], progress: Progress = silent) -> None:
    with hold(repository.lock_path(LOCK), timeout=BRIEFLY) as lock:
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
        with suppress(OSError):  # writers can make these folders, too
            make_folders(repository.path / "objects")  # git removes empty ones


def _run(repo: Path, step: tuple[str, ...], locks: set[Lock]) -> None:
    """Run git, and once more if it fails: a step that was killed may be repeated."""
    descriptors = tuple(lock.descriptor for lock in locks)
    try:
        run_git(repo, *DURABLY, *step, pass_fds=descriptors)
    except GitError:
        for lock in locks:
            lock.drop_git_locks()
        run_git(repo, *DURABLY, *step, pass_fds=descriptors)


@contextmanager
def _refs_held(repository: Repository) -> Iterator[Lock]:
    """Hold the lock for `packed-refs` and, briefly, each loose ref; deleting a ref waits for it."""
    with hold(repository.work_folder / "locks" / PACKED, LOCK_TIMEOUT) as lock:
        lock.announce(Journal.own(locks=(*OF_PACKED, OF_ALL_REFS)))
        yield lock


def count(repo: Path) -> Counts:
    """Count loose objects, packs and loose refs."""
    folders = [repo / "objects" / f"{number:02x}" for number in range(256)]
    objects = sum(entries_of(folder) for folder in folders)
    refs = sum(len(files) for _, _, files in os.walk(repo / "refs"))
    return Counts(objects, entries_of(repo / "objects" / "pack", ".pack"), refs)
