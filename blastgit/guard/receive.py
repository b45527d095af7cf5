"""Check a whole push before any ref moves, and accept all of it or nothing.

Pushed objects cannot change, so they are checked without a lock: a push that is denied or takes long keeps nobody
waiting. Locks are taken only once a push has passed, and then only the refs are checked again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import BlastgitError, Denied, RepoError
from blastgit.guard.budget import limited
from blastgit.guard.contents import check_contents
from blastgit.guard.lines import LineChange, LineCheck, check_twin
from blastgit.guard.published import check_pushed, note_pushed
from blastgit.guard.pushes import log_push
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.stages import check_run
from blastgit.naming.names import fold, is_reference, lock_name
from blastgit.naming.refs import MAIN, Change, Kind, Line, Place, check_move, place, read_changes
from blastgit.plumbing.git_locks import OF_PACKED, PACKED
from blastgit.plumbing.locks import Journal, Lock, hold
from blastgit.plumbing.objects import ZERO, find_ref
from blastgit.plumbing.opening import open_repository
from blastgit.plumbing.turnstile import publishing, stamp
from blastgit.repository.base import LOCK_TIMEOUT
from blastgit.repository.local import LocalRepository
from blastgit.repository.policy import current_identity, require_line
from blastgit.repository.recovery import recover, roll_forward
from blastgit.repository.references import ReferenceTypes
from blastgit.store.pointer import Pointer

if TYPE_CHECKING:
    import pygit2

Placed = Mapping[Change, Place]

_TRIES = 3  # how often to check if others move main or a ref meanwhile


def receive(path: Path, lines: bytes, move: Callable[[Callable[[], bool]], None]) -> list[str]:
    """Check a push, for the hook `pre-receive`, and return its faults.

    Args:
        path: The data repo.
        lines: The input of the hook.
        move: Called if the push is accepted, with the locks held. It gets a function that tells whether the refs have
            moved, and returns when they have, or never will.
    """
    who, changes = current_identity(), list[Change]()
    with ExitStack() as locks:
        try:
            changes = read_changes(lines)
            admit(path, {change: place_of(change) for change in changes}, who, locks)
        except BlastgitError as error:
            log_push(path, who, changes, denied=str(error))
            return [str(error)]
        has_moved = partial(_has_moved, open_repository(path), changes)
        try:
            move(has_moved)
        except BlastgitError as error:
            return [str(error)]
        note_pushed(path, {change.ref: change.new for change in changes})
        if has_moved():
            log_push(path, who, changes)
    return []


def _has_moved(git: pygit2.Repository, changes: Sequence[Change]) -> bool:
    references = ((change, find_ref(git, change.ref)) for change in changes)
    return all((None if ref is None else str(ref.target)) == change.new for change, ref in references)


def admit(path: Path, placed: Placed, who: str, locks: ExitStack) -> None:
    """Check a push, and take the locks of the refs it moves.

    Args:
        path: The data repo.
        placed: The changes, and the kind of each ref.
        who: The user who pushes.
        locks: Receives the locks, unless the push is denied.

    Raises:
        BlastgitError: It is denied, or cannot be checked; the error says why.
    """
    for _ in range(_TRIES):
        repo = Quarantine(path)
        before, guarded = _state(repo, placed), repo.guarded_folders if repo.ref(MAIN) else []
        seen = stamp(guarded)
        with limited(repo) as repo.budget:
            PushCheck(repo, who).run(placed)
        with ExitStack() as held:
            taken = _take_locks(path, placed, held)
            _settle(path, placed, taken)
            _announce(placed, taken)
            held.enter_context(publishing(guarded))
            repo = Quarantine(path)
            _check_unmoved(repo, placed)
            if _state(repo, placed) == before and stamp(guarded) == seen:
                _check_new_lines(repo, placed)
                locks.push(held.pop_all())
                return
    raise Denied("main was moved by others again and again while this was checked: push again when they are done")


def place_of(change: Change) -> Place:
    """Return the kind of a changed ref, if such a change can be allowed at all.

    Raises:
        Denied: It cannot.
    """
    try:
        where = place(change.ref)
        check_move(change, where)
    except BlastgitError as error:
        raise Denied(f"{change.ref}: {error}") from None
    return where


def _state(repo: Quarantine, placed: Placed) -> object:
    """Return the refs that a check depends on and others may move: main, and for a release the other releases."""
    from blastgit.releases.label import releases

    is_release = any(where.kind is Kind.RELEASE for where in placed.values())
    return repo.ref(MAIN), tuple(map(str, releases(repo))) if is_release else ()


def _check_unmoved(repo: Quarantine, placed: Placed) -> None:
    for change in placed:
        if repo.ref(change.ref) != change.old:
            raise Denied(f"{change.ref}: it was moved meanwhile by somebody else: fetch it, and push again")


def _check_new_lines(repo: Quarantine, placed: Placed) -> None:
    """Check again, with the locks held, that nobody else has just started a line that differs only in case."""
    for line in {where.line for where in placed.values() if where.line is not None}:
        if repo.ref(line.branch) is None:
            check_twin(repo, line)


def _take_locks(path: Path, placed: Placed, locks: ExitStack) -> dict[str, Lock]:
    """Take the locks that the library's own writers use, by name, after recovering from dead writers."""
    os.environ.pop("GIT_QUARANTINE_PATH", None)  # with it, git would refuse to complete an old transaction
    folder = path / "blastgit" / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_used = any(folder.iterdir())
    except OSError as error:
        raise RepoError(f"{folder} cannot be written: {error.strerror}") from None
    if is_used:
        recover(LocalRepository(path))
    names = {_lock_of(where) for where in placed.values()} | {PACKED for each in placed if each.new is None}
    return {name: locks.enter_context(hold(folder / name, LOCK_TIMEOUT)) for name in sorted(names)}


def _announce(placed: Placed, locks: Mapping[str, Lock]) -> None:
    """Announce the refs that git is about to move, so that its locks can be freed if it is killed."""
    for name, lock in locks.items():
        refs = {change.ref: change.new or ZERO for change, where in placed.items() if _lock_of(where) == name}
        lock.announce(Journal.own(refs=refs, locks=OF_PACKED if name == PACKED else ()))


def _settle(path: Path, placed: Placed, locks: Mapping[str, Lock]) -> None:
    """Complete each pushed line, if an interrupted push or writer left half of a revision there."""
    lines = {each.line for each in placed.values() if each.line is not None and each.kind is not Kind.WORKFLOW}
    if lines and MAIN in open_repository(path).references:
        repository, coming = LocalRepository(path), {change.ref: change.new for change in placed}
        for line in sorted(lines, key=str):
            roll_forward(repository, str(line), locks[lock_name(line.name)], coming)


def _lock_of(where: Place) -> str:
    return where.kind.value if where.line is None else lock_name(where.line.name)


class PushCheck:
    """The check of one push; it stops at the first fault."""

    def __init__(self, repo: Quarantine, who: str) -> None:
        """Prepare to check a push by a user."""
        self._repo = repo
        self._who = who
        self._coming: dict[str, str | None] = {}
        self._wanted: dict[Pointer, str] = {}

    def run(self, placed: Placed) -> None:
        """Check the push, cheapest first: roles, then what is in git, then what stores must hold.

        Raises:
            BlastgitError: It is denied, or cannot be checked.
        """
        self._coming = {change.ref: change.new for change in placed}
        self._repo.begin_with(self._coming.get(MAIN))
        if self._repo.ref(MAIN) is None and MAIN not in self._coming:
            raise Denied("this repository has no main yet: push main first, or with it")
        _check_twins(placed.values())
        for check in (self._check_role, self._check):
            for change, where in placed.items():
                try:
                    check(change, where)
                except BlastgitError as error:
                    raise Denied(f"{change.ref}: {error}") from None
        for line in _lines(placed):
            self._wanted.update(LineCheck(self._repo, line, self._coming).run())
        if self._wanted:
            check_contents(self._repo.store, self._wanted)

    def _check_role(self, change: Change, where: Place) -> None:
        """Check that this user may change a ref. For main it depends on the files, which `_check` looks at."""
        repo, who, line = self._repo, self._who, where.line
        if repo.ref(change.ref) != change.old:
            raise Denied("it was moved meanwhile by somebody else: fetch it, and push again")
        if where.kind is Kind.ANNOTATIONS:
            repo.policy.check("annotator", who)
        elif where.kind is Kind.RELEASE:
            from blastgit.collections.access import check_access

            check_access(repo.settings, where.collection, who)
        elif line is not None and line.user is not None:
            require_line(repo.settings, str(line), who)
        elif line is not None and is_reference(line.name):
            self._check_reference(line)
        elif line is not None:
            repo.policy.check("writer", who, line.name)

    def _check_reference(self, line: Line) -> None:
        """Check that this user may change a reference: any writer may, if exports contain its type."""
        policy, type_ = self._repo.policy, ReferenceTypes.of(self._repo.settings).check(line.name)
        if type_.reviewed and self._repo.ref(line.branch) is None:
            policy.check("curator", self._who, line.name)
        policy.check("writer", self._who, "" if type_.exported else line.name)

    def _check(self, change: Change, where: Place) -> None:
        """Check one ref; lines of revisions, which have several refs each, are checked afterwards."""
        repo, who = self._repo, self._who
        if where.kind in (Kind.TAG, Kind.RELEASE) and change.new is not None:
            check_pushed(repo.ledger, change.ref, change.new)
        if where.kind is Kind.MAIN:  # imported here since most pushes bring only revisions
            from blastgit.guard.mainline import check_main

            check_main(repo, change, who, self._coming)
        elif where.kind is Kind.ANNOTATIONS:
            from blastgit.guard.annotations import check_annotations

            self._wanted.update(check_annotations(repo, change, who, self._coming))
        elif where.kind is Kind.RELEASE:
            from blastgit.guard.releases import check_pushed as check_release

            check_release(repo, change, self._coming)
        elif where.kind is Kind.WORKFLOW and where.line is not None and change.new is not None:
            check_twin(repo, where.line)
            self._wanted.update(check_run(repo, change, where.line))
        elif where.kind is Kind.DRAFT and where.line is not None and change.new is not None:
            from blastgit.guard.drafts import check_drafts

            check_twin(repo, where.line)
            self._wanted.update(check_drafts(repo, change, where.line, self._coming))


def _check_twins(places: Iterable[Place]) -> None:
    """Check that no two pushed names differ only in case."""
    seen: dict[str, str] = {}
    for name in sorted({part for each in places if each.line for part in (each.line.name, each.line.user or "")}):
        twin = seen.setdefault(fold(name), name)
        if twin != name:
            raise Denied(f"{name!r} and {twin!r} differ only in case: one of them must go")


def _lines(placed: Placed) -> list[LineChange]:
    """Group branches and tags by line."""
    found: dict[Line, LineChange] = {}
    for change, where in placed.items():
        if where.line is None or where.kind in (Kind.WORKFLOW, Kind.DRAFT):
            continue
        line = found.setdefault(where.line, LineChange(where.line))
        if where.number is None:
            line.branch = change
        else:
            line.tags[where.number] = change
    return list(found.values())
