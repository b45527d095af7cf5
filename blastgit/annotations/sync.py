"""`blastgit sync`: fetch the annotations of another repo, merge them with ours, and push what it lacks."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pygit2

from blastgit.annotations.branch import NAME, REF
from blastgit.annotations.merge import count_new, merge_trees
from blastgit.annotations.write import start
from blastgit.errors import Busy, Denied, InvalidInput, NotFound, RepoError
from blastgit.plumbing.connection import explain
from blastgit.plumbing.durable import DURABLY
from blastgit.plumbing.locks import Journal, hold
from blastgit.plumbing.opening import open_repository
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.push import Outcome, PushFailed, push_refs
from blastgit.plumbing.ref_update import RefMoved, RefUpdate
from blastgit.plumbing.user_settings import Keep
from blastgit.repository.base import LOCK_TIMEOUT, Repository
from blastgit.repository.edit import BranchEdit, commit_to_held_branch
from blastgit.repository.location import local_path, shown
from blastgit.repository.recovery import clean_up_dead_writer
from blastgit.repository.remote import RemoteRepository
from blastgit.repository.simulated import WORDS

_TRIES = 20
_LONGEST_WAIT = 8.0  # seconds
_OID = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Synced:
    """The result of a sync.

    Attributes:
        remote: The other repo.
        received: How many lines were received.
        sent: How many lines were sent.
        commit: The tip of the branch on both sides now; None if there are no annotations.
    """

    remote: str
    received: int
    sent: int
    commit: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the result under its stable keys."""
        return {"remote": self.remote, "received": self.received, "sent": self.sent, "commit": self.commit}


def sync(
    repository: Repository,
    remote: str = "origin",
    *,
    dry_run: bool = False,
    sleep: Callable[[float], object] = time.sleep,
) -> Synced:
    """Give two repos the annotations of both.

    Args:
        repository: The local repo: a clone, or a data repo.
        remote: The other one: a remote of the clone, a folder or a URL.
        dry_run: Fetch and count, but change nothing.
        sleep: Called with the seconds to wait before another try.

    Raises:
        NotFound: The remote does not exist.
        InvalidInput: One repo has simulated data and the other real data.
        Denied: The other side's hook rejects our lines.
        Busy: Others kept pushing until we gave up.
        RepoError: The other side cannot be reached.
    """
    place = _place(repository, remote)
    _check_kind(repository, place)
    start(repository)
    received = 0
    for attempt in range(_TRIES):
        theirs = _fetch(repository, place)
        before = _tip(repository)
        received += count_new(_tree(repository, before), _tree(repository, theirs))
        sent = count_new(_tree(repository, theirs), _tree(repository, before))
        if dry_run:
            return Synced(shown(place), received, sent, before)
        if theirs is not None:
            _take_in(repository, theirs)
        ours = _tip(repository)
        if ours is None or ours == theirs or _push(repository, place, RefUpdate(REF, ours, theirs)):
            return Synced(shown(place), received, sent, ours)
        sleep(random.uniform(0, min(_LONGEST_WAIT, 0.1 * 2**attempt)))  # noqa: S311 (not for cryptography)
    raise Busy(f"{shown(place)}: its annotations moved {_TRIES} times in a row: try again when the pushes are over")


def _place(repository: Repository, remote: str) -> str:
    if not repository.is_here:
        raise RepoError(f"{repository.location} is on another machine: run `blastgit sync` in a clone of it")
    if remote in repository.git.remotes.names():
        known = repository.git.remotes[remote]
        return str(known.push_url or known.url)  # by its URL: a mirror's settings allow no push of one branch
    if not re.search(r"[/:.]", remote):
        raise NotFound(f"{repository.location} has no remote {remote!r}: name one (`git remote`), or a folder or URL")
    folder = local_path(remote)
    return remote if folder is None else os.fspath(folder.absolute())


def _check_kind(repository: Repository, place: str) -> None:
    """Check that both sides are about simulated data, or both about real data, as far as it is known."""
    try:
        here, there = repository.settings.simulated, RemoteRepository(place).settings.simulated
    except RepoError:
        return  # a clone of the branch alone has no settings; one that cannot be reached is reported by the fetch
    if here != there:
        raise InvalidInput(
            f"{shown(place)} is about {WORDS[there]} data, and {repository.location} about {WORDS[here]} ones: what is "
            "said of them does not mix either"
        )


def _tip(repository: Repository) -> str | None:
    reference = repository.reference(REF)
    return None if reference is None else str(reference.target)


def _tree(repository: Repository, commit: str | None) -> pygit2.Tree | None:
    return None if commit is None else repository.git[commit].peel(pygit2.Commit).tree


def _fetch(repository: Repository, place: str) -> str | None:
    """Fetch the other side's branch, and return its tip; None if it has none."""
    try:
        listed = (
            run_git(repository.path, "ls-remote", "--", place, REF, keep=Keep.to_reach(place))
            .decode("utf-8", "replace")
            .split()
        )
        if not listed or not _OID.fullmatch(listed[0]):
            return None
        # Without --refmap, a mirror's settings would replace our branch with theirs.
        options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--refmap="]
        run_git(
            repository.path,
            *DURABLY,
            "-c",
            "fetch.fsckObjects=true",
            "fetch",
            *options,
            "--",
            place,
            REF,
            keep=Keep.to_reach(place),
        )
    except GitError as error:
        raise explain(shown(place), "cannot be read", error.said) from None
    repository.git = open_repository(repository.git.path)  # libgit2 looks for new packs when it is opened
    return listed[0]


def _take_in(repository: Repository, theirs: str) -> None:
    """Merge their branch into ours."""
    repository.prepare_to_edit()
    with hold(repository.lock_path(NAME), LOCK_TIMEOUT) as lock:
        clean_up_dead_writer(repository, lock)
        ours = _tip(repository)
        if ours == theirs or (ours is not None and repository.git.descendant_of(ours, theirs)):
            return
        if ours is None or repository.git.descendant_of(theirs, ours):
            lock.announce(Journal.own(refs={REF: theirs}))
            with suppress(RefMoved):  # somebody pushed meanwhile: the next round merges it
                repository.update_refs([RefUpdate(REF, theirs, ours)], "blastgit: sync", lock.descriptor)
            return
        commit_to_held_branch(repository, NAME, lock, lambda tip: _merge(repository, tip, theirs))


def _merge(repository: Repository, tip: pygit2.Commit | None, theirs: str) -> BranchEdit:
    other = _tree(repository, theirs)
    assert tip is not None
    assert other is not None
    return BranchEdit(merge_trees(tip.tree, other), "Merge what others said", merged=(theirs,))


def _push(repository: Repository, place: str, update: RefUpdate) -> bool:
    """Push our branch; return False if somebody else was first."""
    try:
        push_refs(repository.path, place, [update])
    except PushFailed as failure:
        if failure.outcome is Outcome.MOVED or _fetch(repository, place) != update.old:
            return False
        if failure.outcome is Outcome.DECLINED:
            raise Denied(f"{shown(place)} rejected this: {failure.said}") from None
        raise explain(shown(place), "did not take this in", failure.said) from None
    return True
