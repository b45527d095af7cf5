"""Changing files on a branch with many writers, main or annotations: one commit, by compare-and-swap.

The order of writes is that of `record.py`: blobs, trees and commit, one sync, the ref, another sync. Concurrent changes
of different files both succeed, since the one that loses the race reads the branch again and decides again.
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
    """A change to a branch.

    Attributes:
        files: The new bytes of each file, by path; None removes a file. All other files stay.
        subject: The reason, in a line.
        body: Further lines of the message.
        trailers: The machine-readable trailers.
        merged: Further parents of the new commit, besides the branch's tip.
    """

    files: Mapping[str, bytes | None]
    subject: str
    body: tuple[str, ...] = ()
    trailers: Mapping[Trailer, str | None] = field(default_factory=dict)
    merged: tuple[str, ...] = ()


Decide = Callable[[pygit2.Commit | None], BranchEdit | None]
"""Takes the branch's current tip (None if there is no branch yet) and returns what to change, or None for nothing."""


def commit_to_branch(repository: Repository, branch: str, decide: Decide, timeout: float = LOCK_TIMEOUT) -> str | None:
    """Make one commit on a branch, and return the branch's durable tip; None if the branch still does not exist.

    Args:
        repository: The data repo, local or remote.
        branch: `main` or `annotations`.
        decide: Called with the lock held, and again if somebody else moved the branch meanwhile. If it raises, nothing
            is changed.
        timeout: Seconds to wait for others.

    Raises:
        Busy: Others did not finish with the branch in time.
        Denied: A hook of the remote repo rejects the change.
        RepoError: The repo cannot be written or reached.
    """
    repository.prepare_to_edit()
    with hold(repository.lock_path(branch), timeout) as lock:
        clean_up_dead_writer(repository, lock)
        return commit_to_held_branch(repository, branch, lock, decide, timeout)


def commit_to_held_branch(
    repository: Repository, branch: str, lock: Lock, decide: Decide, timeout: float = LOCK_TIMEOUT
) -> str | None:
    """Do the same as `commit_to_branch` for a caller that already holds the branch's lock."""
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
            continue  # a push came in between
        return commit
    raise Busy(f"others kept moving {branch} for {timeout:g} s: try again when they are done")


def _commit(repository: Repository, batch: Batch, tip: pygit2.Commit | None, change: BranchEdit) -> str:
    who = repository.committer()
    blobs = {path: None if data is None else batch.blob(data) for path, data in change.files.items()}
    tree = update_tree(batch, None if tip is None else tip.tree, blobs)
    message = write_message(change.subject, list(change.body), change.trailers)
    parents = [] if tip is None else [tip.id]
    return str(batch.commit((who, who), message, tree, [*parents, *map(_oid, change.merged)]))


def _oid(name: str) -> pygit2.Oid:
    return pygit2.Oid(hex=name)
