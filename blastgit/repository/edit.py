"""Changing files of a branch that many write to, main or annotations: one commit, compare and swap.

The order of writes is that of `record.py`: blobs, trees and commit, one sync, the ref, another sync. Concurrent
changes of different files both succeed, for the one that loses the race looks at the branch again and decides again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pygit2

from blastgit.errors import Busy
from blastgit.naming.refs import branch_ref
from blastgit.naming.trailers import Trailer, write_message
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.locks import Journal, Lock, hold
from blastgit.plumbing.ref_update import RefMoved, RefUpdate
from blastgit.plumbing.trees import update_tree
from blastgit.repository.base import LOCK_TIMEOUT, Repository
from blastgit.repository.recovery import clean_up_dead_writer


@dataclass(frozen=True)
class BranchEdit:
    """What a change does.

    Attributes:
        files: The new bytes of each file, by path; None takes a file away. What is not named stays.
        subject: Why, in a line.
        body: More of it, a line each.
        trailers: What programs read.
        merged: The commits, beside the branch's own tip, whose history the new one continues.
    """

    files: Mapping[str, bytes | None]
    subject: str
    body: tuple[str, ...] = ()
    trailers: Mapping[Trailer, str | None] = field(default_factory=dict)
    merged: tuple[str, ...] = ()


Decide = Callable[[pygit2.Commit | None], BranchEdit | None]
"""From the branch's tip as it is now (None: there is no such branch yet) to what to change; None for nothing."""


def commit_to_branch(repository: Repository, branch: str, decide: Decide, timeout: float = LOCK_TIMEOUT) -> str | None:
    """Make one commit on a branch, and return the branch's tip, which is durable; None if it has none still.

    Args:
        repository: The data repo, here or elsewhere.
        branch: `main` or `annotations`.
        decide: Called with the lock held, and again if somebody else moved the branch meanwhile. What it raises ends
            the call, and nothing has changed.
        timeout: Seconds to wait for others.

    Raises:
        Busy: Others were not done with the branch in time.
        Denied: A hook of a repo elsewhere does not let this in.
        RepoError: The repo cannot be written, or not be reached.
    """
    repository.prepare_to_edit()
    with hold(repository.lock_path(branch), timeout) as lock:
        clean_up_dead_writer(repository, lock)
        return commit_to_held_branch(repository, branch, lock, decide, timeout)


def commit_to_held_branch(
    repository: Repository, branch: str, lock: Lock, decide: Decide, timeout: float = LOCK_TIMEOUT
) -> str | None:
    """Do what `edit` does for a caller that holds the branch's lock already."""
    ref = branch_ref(branch)
    for _ in repository.attempts(timeout):
        tip = repository.tip(branch)
        change = decide(tip)
        if change is None:
            return None if tip is None else str(tip.id)
        batch = Batch(repository.git)
        commit = _commit(repository, batch, tip, change)
        lock.announce(Journal.own(refs={ref: commit}))
        try:
            update = RefUpdate(ref, commit, None if tip is None else str(tip.id))
            repository.update_refs([update], f"blastgit: {change.subject}", lock.descriptor, objects=batch)
        except RefMoved:
            continue  # a push came between
        return commit
    raise Busy(f"{branch} was moved by others again and again, for {timeout:g} s: try again when they are done")


def _commit(repository: Repository, batch: Batch, tip: pygit2.Commit | None, change: BranchEdit) -> str:
    who = repository.committer()
    blobs = {path: None if data is None else batch.blob(data) for path, data in change.files.items()}
    tree = update_tree(batch, None if tip is None else tip.tree, blobs)
    message = write_message(change.subject, list(change.body), change.trailers)
    parents = [] if tip is None else [tip.id]
    return str(batch.commit((who, who), message, tree, [*parents, *map(_oid, change.merged)]))


def _oid(name: str) -> pygit2.Oid:
    return pygit2.Oid(hex=name)
