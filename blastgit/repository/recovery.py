"""Recovering from a crashed writer: removes its leftovers, and completes a publication that was under way.

A writer makes contents durable, then git's objects, and only then moves the tag and the branch, in one transaction that
git does not apply atomically. A tag without its branch, or a branch without its tag, therefore has all its data.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING

import pygit2

from blastgit.errors import BlastgitError, Busy, DamagedData
from blastgit.naming.refs import branch_of, branch_ref, draft_ref, run_ref, tag_ref
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.locks import Lock, remove_folders, try_lock
from blastgit.plumbing.objects import ZERO, commit_of
from blastgit.plumbing.ref_update import RefMoved, RefUpdate
from blastgit.plumbing.safe_text import one_line
from blastgit.repository.base import Repository
from blastgit.repository.commits import Marker
from blastgit.repository.history import History, comes_right_after
from blastgit.repository.ledger.lost import put_back

if TYPE_CHECKING:
    from blastgit.plumbing.batch import Batch

_NOTHING: Mapping[str, str | None] = MappingProxyType({})


def recover(repository: Repository) -> list[str]:
    """Clean up after every dead writer, and return the (case-folded) names of the transients concerned.

    Does nothing if this user may not write.
    """
    folder = repository.work_folder / "locks"
    recovered: list[str] = []
    try:
        names = [entry.name for entry in os.scandir(folder)]
    except OSError:
        return recovered
    for name in names:
        try:
            lock = try_lock(folder / name, create=False)
        except BlastgitError:
            continue
        if lock is not None:
            recovered += [name] if lock.left_behind else []
            with suppress(DamagedData):  # concerns only that transient, whose next writer gets the error
                _bury(repository, lock)
    return recovered


def _bury(repository: Repository, lock: Lock) -> None:
    try:
        lock.free_git_locks()
        clean_up_dead_writer(repository, lock)
    except (Busy, RefMoved):  # somebody may be writing: the journal stays for the next recovery
        os.close(lock.descriptor)
    except BaseException:
        os.close(lock.descriptor)
        raise
    else:
        lock.let_go()


def clean_up_dead_writer(repository: Repository, lock: Lock) -> None:
    """Clean up after the dead writer that held a lock previously, if there was one."""
    if lock.left_behind is None:
        return
    if lock.left_behind.is_dead(lock.path):
        from blastgit.plumbing.keeps import remove_left_keeps

        remove_left_keeps(repository.path)
    remove_folders(lock.left_behind, lock.path, [repository.store.staging_root, repository.work_folder / "tmp"])
    for ref in lock.left_behind.refs:
        branch = branch_of(ref)
        if branch is not None:
            roll_forward(repository, branch, lock)


def roll_forward(repository: Repository, name: str, lock: Lock, coming: Mapping[str, str | None] = _NOTHING) -> None:
    """Roll a transient forward: make the missing tag of its latest revision, or move its branch to its latest tag.

    First, refs that are in the ledger but have vanished are restored.

    Args:
        repository: The data repo.
        name: The transient.
        lock: Its lock, held by the caller.
        coming: The refs that somebody is pushing, with their new targets: these are left to the push.

    Raises:
        DamagedData: Something published cannot be restored, and nothing may take its place.
    """
    updates = _published(repository, name)
    if updates:
        lock.announce_moves(updates)
        repository.update_refs(updates, "blastgit: put back what was published", lock.descriptor)
    history = History(repository)
    latest = history.latest(name)
    updates, batch = [], None
    lacks_tag = latest is not None and history.tagged(name, latest.number) is None
    if latest is not None and lacks_tag and tag_ref(name, latest.number) not in coming:
        from blastgit.plumbing.batch import Batch

        batch = Batch(repository.git)
        tag = add_tag(batch, latest.tag, latest.id, latest.commit.committer, latest.reason)
        updates.append(RefUpdate(tag_ref(name, latest.number), tag))
    ahead = history.tagged(name, 0 if latest is None else latest.number + 1)
    tip = history.tip(name)
    before = None if tip is None else str(tip.id)
    is_next = ahead is not None and comes_right_after(repository.git, ahead.commit, before)
    if ahead is not None and is_next and coming.get(branch_ref(name)) != ahead.id:
        updates.append(RefUpdate(branch_ref(name), ahead.id, before))
    updates += settled(repository, name, ahead.commit if ahead is not None and is_next else tip)
    if updates:
        lock.announce_moves(updates)
        repository.update_refs(updates, "blastgit: rolled forward after a crash", lock.descriptor, objects=batch)


def _published(repository: Repository, name: str) -> list[RefUpdate]:
    """Add to the ledger what it lacks of a line, and return the lost refs of the line to restore.

    Raises:
        DamagedData: Something published cannot be restored.
    """
    chain, number = repository.ledger.chain(name), latest_number(repository, name)
    noted = chain[-1].number if chain else -1
    if number > noted:
        tags = (tag_ref(name, each) for each in range(noted + 1, number + 1))
        found = ((ref, repository.reference(ref)) for ref in tags)
        repository.ledger.add({ref: str(reference.target) for ref, reference in found if reference is not None})
    return put_back(repository.git, name, chain, number)


def latest_number(repository: Repository, name: str) -> int:
    """Return the number of the latest revision on a branch; -1 if there is none, or git cannot read the branch."""
    try:
        latest = History(repository).latest(name)
    except DamagedData:
        return -1
    return -1 if latest is None else latest.number


def add_tag(batch: Batch, name: str, commit: str, tagger: pygit2.Signature, message: str) -> str:
    """Add the annotated tag of a revision to a batch and return its id; no ref is moved.

    Args:
        batch: The objects being written.
        name: The tag's short name.
        commit: The revision.
        tagger: The committer of that commit, so that a tag lost in a crash can be restored identically.
        message: The reason, as in the commit.
    """
    return str(batch.tag(name, pygit2.Oid(hex=commit), tagger, one_line(message)))


def settled(repository: Repository, name: str, tip: pygit2.Commit | None) -> list[RefUpdate]:
    """Return the update that deletes the ref of an ended run whose writer died before deleting it."""
    reference = repository.reference(run_ref(name))
    if reference is None:
        return []
    drafts = repository.reference(draft_ref(name))
    ends = [tip, None if drafts is None else commit_of(drafts)]
    ended = {Marker(end).trailers.get(Trailer.WORKFLOW) for end in ends if end is not None}
    run = str(reference.target)
    return [RefUpdate(run_ref(name), ZERO, run)] if run in ended else []
