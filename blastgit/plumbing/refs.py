"""Moving refs: by compare-and-swap, all or none, and durably.

Refs are read through libgit2 and written with `git update-ref --stdin`, which takes git's own locks and stays fast with
a hundred thousand refs. The objects that refs need are on disk before the refs move; the refs, their logs and folders
are on disk when the call returns. All writers of a data repo move refs here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pygit2

from blastgit.errors import RepoError
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.durable import DURABLY, DiskFailed, sync_file_systems
from blastgit.plumbing.objects import ZERO
from blastgit.plumbing.opening import open_repository
from blastgit.plumbing.process import GitError, git_in_waiting
from blastgit.plumbing.quarantine import Quarantine
from blastgit.plumbing.ref_locks import free_after_failure, locks_in_order
from blastgit.plumbing.ref_update import RefLocked, RefMoved, RefUpdate

_LEAST_ROOM = 65_536  # bytes: refs and their locks take a block each
_PATIENT = (
    "-c",
    "core.filesRefLockTimeout=5000",
    "-c",
    "core.packedRefsTimeout=5000",
)  # ms; git's own is a tenth of 1 s


def update_refs(  # noqa: PLR0913 (options that most calls omit)
    directory: Path,
    updates: Sequence[RefUpdate],
    message: str,
    *locks: int,
    objects: Batch | None = None,
    synced: Iterable[Path] = (),
    then: Callable[[], object] | None = None,
) -> None:
    """Apply all updates or, if any ref is not where it should be, none. Refs and objects are durable on return.

    Args:
        directory: The repository.
        updates: The refs to move.
        message: The message for the reflog.
        locks: Descriptors of locks that git holds as long as it runs.
        objects: The new objects that the refs need, added to the repository only if the refs move.
        synced: Folders whose file systems must be synced before any ref moves, besides that of the repository; git
            locks and checks the refs meanwhile.
        then: Called once the refs have moved; what it writes in the repository is synced together with them.

    Raises:
        RefMoved: A ref had another value, or already exists.
        RefLocked: Another process holds the lock of a ref.
        Busy: A lock without a visible owner is in the way; the error says which, and how to free it.
        RepoError: The repository cannot be written, or a disk failed. The error says which refs have moved anyway.
    """
    directory = Path(directory)
    targets, began = {update.ref: update.new for update in updates}, time.time()
    with locks_in_order(directory, targets) as more:
        move = _Move(directory, updates, message, (*locks, *more))
        try:
            move.make(objects, synced)
        except GitError as error:  # if git was killed, its locks remain; if it refused, it has removed them
            move.look_for_others(error.stderr)
            free_after_failure(directory, targets, began)
            move.go_on_after(error)
        if then is not None:
            then()
        move.confirm()
    if objects is not None:
        objects.clear()


@dataclass(frozen=True, slots=True)
class _Move:
    """A move of several refs."""

    directory: Path
    updates: Sequence[RefUpdate]
    message: str
    locks: Sequence[int]

    def make(self, objects: Batch | None = None, synced: Iterable[Path] = ()) -> None:
        """Let git lock and check the refs while everything they need is synced to disk, then move them."""
        lines = "".join(["start\n", *(update.line() for update in self.updates), "prepare\n"]).encode()
        command = (*DURABLY, *_PATIENT, "update-ref", "-m", self.message, "--stdin")
        with _written(objects) as place:
            env = {} if place is None else place.environment
            with git_in_waiting(self.directory, *command, first=lines, pass_fds=self.locks, env=env) as git:
                sync_file_systems([*synced, self.directory])
                is_prepared = git.wait_for(b"prepare: ok\n")  # until then it reads the objects in the quarantine
                if is_prepared and place is not None:
                    place.admit()
                git.go_on(b"commit\n")

    def go_on_after(self, error: GitError) -> None:
        """Handle a failure of git: return if the refs have moved, or move the rest if some have.

        Raises:
            RepoError: No ref has moved, or not all.
        """
        rest = [update for update in self.updates if not self._has_moved(update)]
        if len(rest) == len(self.updates):
            raise self._refusal(error.stderr or str(error)) from None
        if not rest:
            return
        try:  # what they need is on disk; a ref that has moved may have been seen, and stays
            _Move(self.directory, rest, self.message, self.locks).make()
        except RepoError as again:
            there, missing = _names(set(self.updates) - set(rest)), _names(rest)
            raise RepoError(
                f"{there} moved in {self.directory}, but {missing} could not be moved: {again}. Everything they need "
                "is on disk: the next command that opens the repo completes the move, once the disk works"
            ) from None

    def confirm(self) -> None:
        """Sync the refs to disk after they have moved."""
        try:
            sync_file_systems([self.directory])
        except DiskFailed as error:
            raise RepoError(
                f"{_names(self.updates)} moved in {self.directory}, but the disk did not confirm it ({error.reason}): "
                "a power cut may undo it. Check the disk, then run `blastgit verify`"
            ) from None

    def _has_moved(self, update: RefUpdate) -> bool:
        try:
            reference = open_repository(self.directory).references.get(update.ref)
        except (pygit2.GitError, OSError):
            return False
        return (ZERO if reference is None else str(reference.target)) == update.new

    def look_for_others(self, text: str) -> None:
        """Check whether git failed because of somebody else.

        Raises:
            RefMoved: A ref is not where it should be, or is locked.
        """
        names = _names(self.updates)
        if "File exists" in text:
            raise RefLocked(f"{names}: locked by another git process ({text})")
        if any(words in text for words in ("reference already exists", "but expected", "unable to resolve reference")):
            raise RefMoved(f"{names}: moved by somebody else meanwhile ({text})")

    def _refusal(self, text: str) -> RepoError:
        names = _names(self.updates)
        if _is_full(self.directory):  # git itself does not say so
            return RepoError(f"no space left in {self.directory}: no ref was moved; make room, and repeat the call")
        return RepoError(f"{names} cannot be written in {self.directory}, and no ref was moved: {text}")


@contextmanager
def _written(objects: Batch | None) -> Iterator[Quarantine | None]:
    if objects is None:
        yield None
        return
    with objects.written() as place:
        yield place


def _names(updates: Iterable[RefUpdate]) -> str:
    return ", ".join(update.ref for update in updates)


def _is_full(directory: Path) -> bool:
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize < _LEAST_ROOM or (disk.f_files > 0 and disk.f_favail == 0)
