"""Withdraw published data, because of a mistake or a licence. Tag and document stay; main records what is gone and why.

The tombstone is committed first, then contents are moved into the quarantine or deleted. After a crash in between, `gc`
removes them, since withdrawn contents are no longer needed. A content that another file uses stays, and so does one
that this repo may not delete (`removal.py`).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from blastgit.errors import DamagedData, InvalidInput, NotFound, UsageError
from blastgit.maintenance.reachable import ReachableContents
from blastgit.maintenance.removal import remove
from blastgit.naming.names import DRAFT, Spec
from blastgit.naming.nearest import did_you_mean, with_beginnings
from blastgit.plumbing.locks import Lock, hold
from blastgit.plumbing.safe_text import one_line
from blastgit.repository.base import LOCK_TIMEOUT, Repository
from blastgit.repository.commits import Snapshot
from blastgit.repository.edit import BranchEdit, commit_to_held_branch
from blastgit.repository.recovery import clean_up_dead_writer, roll_forward
from blastgit.repository.tombstones import Tombstone, Withdrawals, file_of, write_tombstones
from blastgit.store.pointer import Pointer
from blastgit.workflow.resolve import resolve_draft, resolve_revision


@dataclass(frozen=True)
class Withdrawal:
    """The result of a withdrawal.

    Attributes:
        revision: The revision, `2026dgt@1`.
        reason: Why.
        commit: The commit on main that records it.
        paths: The files newly withdrawn.
        removed: The contents deleted from the store for good, by MD5.
        set_aside: The contents moved into its quarantine, from which `gc` deletes them after the grace period.
        kept: The files whose content stays, because another file that is not withdrawn has it too.
        in_git: The files kept in git itself, whose bytes stay in every clone of the revision.
        staying: Where bytes remain that should be gone, and what to do, as sentences.
        is_dry: Whether this is only what would be done.
        damaged: The refs that git cannot follow, so that what they need is unknown.
    """

    revision: str
    reason: str
    commit: str
    paths: list[str]
    removed: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    in_git: list[str] = field(default_factory=list)
    staying: list[str] = field(default_factory=list)
    is_dry: bool = False
    damaged: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the result under its stable keys."""
        return {
            "revision": self.revision, "reason": self.reason, "commit": self.commit, "paths": self.paths,
            "removed": self.removed, "set_aside": self.set_aside, "kept": self.kept, "in_git": self.in_git,
            "staying": self.staying, "dry_run": self.is_dry, "damaged": self.damaged,
        }  # fmt: skip


@dataclass(frozen=True)
class WithdrawOptions:
    """How to withdraw.

    Attributes:
        now: Delete contents for good at once; else move them into the quarantine.
        dry_run: Report what would be done, but do nothing.
        timeout: Seconds to wait for writers of the transient and of main.
    """

    now: bool = False
    dry_run: bool = False
    timeout: float = LOCK_TIMEOUT


def withdraw(repository: Repository, spec: Spec, reason: str, options: WithdrawOptions | None = None) -> Withdrawal:
    """Withdraw the files of a revision, or those below a path of it.

    Args:
        repository: The data repo.
        spec: The revision or the draft by its number, with a file or folder of it, or without for all its files.
        reason: Why, in a sentence that everybody will read.
        options: How.

    Raises:
        UsageError: The revision is not named by its number.
        InvalidInput: The reason is not valid.
        NotFound: The revision or file does not exist.
        Denied: The user is not an admin.
        Busy: A writer took too long.
        StoreError: Main records it, but the store fails: repeat the call, or leave the contents to `gc`.
    """
    if spec.number is None or spec.stage is not None:
        also = f" ({spec.name}@1:draft-1 for a draft)" if spec.alias == DRAFT else ""
        raise UsageError(
            f"name the revision by its number, as in {spec.name}@0{also}: what is withdrawn must be named exactly"
        )
    check_reason(reason)
    repository.require("admin", spec.name)
    repository.prepare_to_edit()
    wanted = options or WithdrawOptions()
    with (
        hold(repository.lock_path(spec.name), wanted.timeout) as line,
        hold(repository.lock_path("main"), wanted.timeout) as main,
    ):
        for lock in (line, main):
            clean_up_dead_writer(repository, lock)
        with suppress(DamagedData):  # of other revisions: if it is this one, it is reported below
            roll_forward(repository, spec.name, line)
        revision = resolve_revision(repository, spec) if spec.draft is None else resolve_draft(repository, spec)
        stones = {path: _stone(repository, revision, path, reason) for path in _chosen(revision, spec.path)}
        before = Withdrawals(repository).of(revision.name, spec.number, spec.draft)
        new = sorted(stones.keys() - before.keys())
        commit = str(repository.main.id)
        if new and not wanted.dry_run:
            where = file_of(revision.name, spec.number, spec.draft)
            text = write_tombstones(revision.name, spec.number, {**stones, **before}, spec.draft)
            change = BranchEdit({where: text}, f"Withdraw {revision}: {stones[new[0]].reason}", tuple(new))
            commit = _commit(repository, main, change)
        roots = ReachableContents(repository, {(revision.name, revision.number): {**stones, **before}})
        stored = {stone.md5 for path, stone in stones.items() if not revision.held[path].in_git}
        done = remove(repository, stored, roots, now=wanted.now, dry_run=wanted.dry_run)
    in_git = sorted(path for path in stones if revision.held[path].in_git)
    kept = sorted(path for path, stone in stones.items() if stone.md5 in done.needed and path not in in_git)
    return Withdrawal(
        str(revision), reason, commit, new, done.removed, done.set_aside, kept, in_git, done.staying, wanted.dry_run,
        roots.damaged,
    )  # fmt: skip


def check_reason(reason: str) -> None:
    """Check that a text can be the reason for a withdrawal.

    Raises:
        InvalidInput: It is not one line.
    """
    if not reason.strip() or one_line(reason) != reason:
        raise InvalidInput("the reason should be one line: whoever misses the data will read it")


def _chosen(revision: Snapshot, path: str | None) -> list[str]:
    paths = sorted(revision.pointers)
    chosen = [
        each for each in paths if path is None or each == path or PurePosixPath(path) in PurePosixPath(each).parents
    ]
    if not chosen:
        hint = did_you_mean(path or "", with_beginnings(paths), f"`blastgit show {revision}:files` lists its files")
        raise NotFound(f"{revision} has no file or folder {path!r}{hint}")
    return chosen


def _stone(repository: Repository, revision: Snapshot, path: str, reason: str) -> Tombstone:
    return signed_stone(repository, path, revision.pointers[path], revision.sha256(path), reason)


def signed_stone(repository: Repository, path: str, pointer: Pointer, sha256: str, reason: str) -> Tombstone:
    """Return the tombstone for a file withdrawn by the caller now."""
    who = repository.committer()
    moment = datetime.fromtimestamp(who.time, UTC)
    by = f"{who.name} <{who.email}>"
    return Tombstone(path, pointer.md5, sha256, pointer.size, f"{moment:%Y-%m-%dT%H:%M:%SZ}", by, reason)


def _commit(repository: Repository, lock: Lock, change: BranchEdit) -> str:
    """Write tombstones on main, and return main's commit once that is durable."""
    commit = commit_to_held_branch(repository, "main", lock, lambda _: change)
    assert commit is not None
    return commit
