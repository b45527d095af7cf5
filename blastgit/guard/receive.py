"""The check of a whole push, before any ref moves: all of it is good, or none of it is taken in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pygit2

from blastgit.errors import BlastgitError, Denied, RepoError
from blastgit.guard.contents import check_contents
from blastgit.guard.hold import hold_locks_until_exit
from blastgit.guard.lines import LineChange, LineCheck, check_twin
from blastgit.guard.pushes import log_push
from blastgit.guard.quarantine import Quarantine
from blastgit.guard.stages import check_run
from blastgit.naming.names import fold
from blastgit.naming.refs import Change, Kind, Line, Place, check_move, place, read_changes
from blastgit.plumbing.locks import Lock, hold
from blastgit.repository.local import LOCK_TIMEOUT, Repository
from blastgit.repository.policy import current_identity, require_line
from blastgit.repository.recovery import recover, roll_forward
from blastgit.store.pointer import Pointer


def receive(path: Path, lines: bytes, pusher: int) -> list[str]:
    """Check a push, as `pre-receive`, and return what is wrong with it. If all is well, see `hold_locks_until_exit`.

    Args:
        path: The data repo.
        lines: What git hands to the hook.
        pusher: The process that moves the refs afterwards.
    """
    try:
        changes = read_changes(lines)
        placed = {change: place_of(change) for change in changes}
    except BlastgitError as error:
        return [str(error)]
    with ExitStack() as locks:
        try:
            _settle(path, placed, _take_locks(path, placed.values(), locks))
            problems = PushCheck(Quarantine(path), current_identity()).run(placed)
        except BlastgitError as error:
            return [str(error)]
        if not problems:
            log_push(path, current_identity(), changes)
            hold_locks_until_exit(pusher)
    return problems


def place_of(change: Change) -> Place:
    """Return what a changed ref is, if it may be changed in such a way at all.

    Raises:
        Denied: It may not.
    """
    try:
        where = place(change.ref)
        check_move(change, where)
    except BlastgitError as error:
        raise Denied(f"{change.ref}: {error}") from None
    return where


def _take_locks(path: Path, places: Iterable[Place], locks: ExitStack) -> dict[str, Lock]:
    """Hold the locks that the library's own writers hold, by name, after completing what a dead one left."""
    os.environ.pop("GIT_QUARANTINE_PATH", None)  # git would refuse to complete an old transaction, which is not pushed
    folder = path / "blastgit" / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_used = any(folder.iterdir())
    except OSError as error:
        raise RepoError(f"{folder} cannot be written: {error.strerror}") from None
    if is_used:
        recover(Repository(path))
    names = sorted({fold(lock) for each in places if (lock := _lock_of(each))})
    return {name: locks.enter_context(hold(folder / name, LOCK_TIMEOUT)) for name in names}


def _settle(path: Path, placed: Mapping[Change, Place], locks: Mapping[str, Lock]) -> None:
    """Complete each line that is pushed, if a push or a writer that broke off left half of a revision there."""
    lines = {each.line for each in placed.values() if each.line is not None and each.kind is not Kind.WORKFLOW}
    if lines and "refs/heads/main" in pygit2.Repository(str(path)).references:
        repository, coming = Repository(path), {change.ref: change.new for change in placed}
        for line in sorted(lines, key=str):
            roll_forward(repository, str(line), locks[fold(line.name)], coming)


def _lock_of(where: Place) -> str:
    if where.line is not None:
        return "" if where.kind is Kind.WORKFLOW else where.line.name
    return where.kind.value if where.kind in (Kind.MAIN, Kind.ANNOTATIONS, Kind.RELEASE) else ""


class PushCheck:
    """The check of one push."""

    def __init__(self, repo: Quarantine, who: str) -> None:
        """Prepare to check what somebody pushes."""
        self._repo = repo
        self._who = who
        self._problems: list[str] = []
        self._coming: dict[str, str | None] = {}
        self._wanted: dict[Pointer, str] = {}

    def run(self, placed: Mapping[Change, Place]) -> list[str]:
        """Return what is wrong, in sentences.

        Raises:
            BlastgitError: The push cannot be checked at all.
        """
        if self._repo.ref("refs/heads/main") is None and any(each.kind is not Kind.MAIN for each in placed.values()):
            raise Denied("this repository has no main yet: push main first, by itself")
        self._check_twins(placed.values())
        self._coming = {change.ref: change.new for change in placed}
        for change, where in placed.items():
            with self._noting(change.ref):
                self._check(change, where)
        wanted = self._wanted
        for line in _lines(placed):
            with self._noting():
                wanted.update(LineCheck(self._repo, line).run())
        if wanted and not self._problems:
            with self._noting():
                check_contents(self._repo.store, wanted)
        return self._problems

    @contextmanager
    def _noting(self, ref: str = "") -> Iterator[None]:
        try:
            yield
        except BlastgitError as error:
            self._problems.append(f"{ref}: {error}" if ref else str(error))

    def _check_twins(self, places: Iterable[Place]) -> None:
        """Check that no two pushed names differ only in case."""
        seen: dict[str, str] = {}
        for name in sorted({part for each in places if each.line for part in (each.line.name, each.line.user or "")}):
            twin = seen.setdefault(fold(name), name)
            if twin != name:
                self._problems.append(f"{name!r} and {twin!r} differ only in case: one of them must go")

    def _check(self, change: Change, where: Place) -> None:
        """Check one ref: that it is where the pusher thinks, and that they may change it."""
        repo, who, line = self._repo, self._who, where.line
        if repo.ref(change.ref) != change.old:
            raise Denied("somebody else moved it meanwhile: fetch it, and push again")
        if where.kind is Kind.MAIN:  # imported where needed: most pushes bring revisions
            from blastgit.guard.mainline import check_main

            check_main(repo, change, who, self._coming)
        elif where.kind is Kind.ANNOTATIONS:
            from blastgit.guard.annotations import check_annotations

            self._wanted.update(check_annotations(repo, change, who, self._coming))
        elif where.kind is Kind.RELEASE:
            from blastgit.guard.releases import check_pushed

            check_pushed(repo, change, who, self._coming)
        elif line is not None and line.user is not None:
            require_line(repo.settings, str(line), who)
        elif line is not None:
            repo.policy.check("writer", who, line.name)
            if where.kind is Kind.WORKFLOW and change.new is not None:
                check_twin(repo, line)
                self._wanted.update(check_run(repo, change, line))


def _lines(placed: Mapping[Change, Place]) -> list[LineChange]:
    """Gather branches and tags by the line that they belong to."""
    found: dict[Line, LineChange] = {}
    for change, where in placed.items():
        if where.line is None or where.kind is Kind.WORKFLOW:
            continue
        line = found.setdefault(where.line, LineChange(where.line))
        if where.number is None:
            line.branch = change
        else:
            line.tags[where.number] = change
    return list(found.values())
