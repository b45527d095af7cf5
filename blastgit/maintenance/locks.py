"""List the locks of a data repo, and free a lock whose owner cannot be proven dead from here."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from blastgit.errors import Busy, NotFound
from blastgit.plumbing.evidence import boot_id, owner_of
from blastgit.plumbing.git_locks import all_locks
from blastgit.plumbing.locks import Journal, Lock, read_journal, try_lock
from blastgit.repository.base import Repository
from blastgit.repository.recovery import clean_up_dead_writer

HELD, LEFT = "held", "left"


@dataclass(frozen=True)
class LockState:
    """A lock file.

    Attributes:
        file: Its path in the repository.
        since: When it was taken, as ISO 8601 in UTC.
        state: "held" if a process is known to hold it; "left" if none is known: it was killed, or runs elsewhere.
        owner: The owner, as text.
    """

    file: str
    since: str
    state: str
    owner: str

    def to_json(self) -> dict[str, str]:
        """Return it under its stable keys."""
        return asdict(self)


def list_locks(repository: Repository) -> list[LockState]:
    """Return the locks of writers and of git. Those of writers proven dead were removed when the repo was opened."""
    folder = repository.work_folder / "locks"
    own = [_state_of_own(repository, path) for path in sorted(folder.iterdir())] if folder.is_dir() else []
    of_git = [_state_of_git(repository, path) for path in all_locks(repository.path)]
    return [*(each for each in own if each is not None), *of_git]


def free_lock(repository: Repository, file: str) -> None:
    """Remove a lock, and clean up after its owner, relying on the caller that the owner is dead.

    Args:
        repository: The data repo.
        file: The lock's path in the repository, as shown by `list_locks` and in errors.

    Raises:
        NotFound: The lock does not exist.
        Busy: A process of this machine holds it.
    """
    path = repository.path / file
    if path.parent == repository.work_folder / "locks":
        lock = try_lock(path, create=False)
        if lock is None and path.exists():
            raise Busy(f"{file} is held by {read_journal(path) or 'a process'}: end it, or wait for it")
        if lock is not None:
            _free_own(repository, lock)
            return
    if path not in all_locks(repository.path):
        raise NotFound(f"there is no lock {file} in {repository.path}: `blastgit locks` lists those there are")
    owner = owner_of(path, repository.path)
    if owner is not None:
        raise Busy(f"{file} may belong to {owner}: end it, or wait for it")
    path.unlink(missing_ok=True)


def _free_own(repository: Repository, lock: Lock) -> None:
    dead = lock.left_behind
    try:
        if dead is not None:  # treated as a process of this boot, since the caller says that it is dead
            lock.take_for(replace(dead, boot=boot_id()))
            lock.free_git_locks()
            clean_up_dead_writer(repository, lock)
    except BaseException:
        os.close(lock.descriptor)
        raise
    lock.let_go()


def _state_of_own(repository: Repository, path: Path) -> LockState | None:
    journal = read_journal(path)
    lock = try_lock(path, create=False)
    if lock is not None:
        os.close(lock.descriptor)
    try:
        since = path.stat().st_mtime if journal is None else journal.since
    except FileNotFoundError:
        return None
    return _state(repository, path, since, _words(journal), HELD if lock is None else LEFT)


def _words(journal: Journal | None) -> str:
    return "an unidentified process" if journal is None else str(journal).partition(", since")[0]


def _state_of_git(repository: Repository, path: Path) -> LockState:
    owner = owner_of(path, repository.path)
    since = path.stat().st_ctime if path.exists() else 0.0
    return _state(repository, path, since, owner or "no process of this machine", LEFT if owner is None else HELD)


def _state(repository: Repository, path: Path, since: float, owner: str, state: str) -> LockState:
    when = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return LockState(str(path.relative_to(repository.path)), when, state, owner)
