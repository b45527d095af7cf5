"""Putting back what refs have lost: a published number is never given to other data.

What the ledger lists was published, with all its contents on disk before. So where its objects are there, a tag that is
gone comes back and a branch that was set back goes forward again, by the next writer and before it decides anything.
That is the same as what it does after a crash, which it cannot be told from. Where that is not possible, it stops.
"""

from __future__ import annotations

from collections.abc import Sequence

import pygit2

from blastgit.errors import DamagedData
from blastgit.naming.refs import branch_ref
from blastgit.plumbing.objects import find_ref
from blastgit.plumbing.ref_update import RefUpdate
from blastgit.repository.ledger.book import Entry


def put_back(
    git: pygit2.Repository, name: str, chain: Sequence[Entry], latest: int, *, whole: bool = False
) -> list[RefUpdate]:
    """Return the refs of a line of revisions to put back; none if it ends where the ledger says.

    Args:
        git: The repository.
        name: The line: a transient, or a user's own line of one.
        chain: What was published of it.
        latest: The number of the latest revision on its branch; -1 if there is none.
        whole: Whether to look at all tags, and not only at the last one if the branch is where it should be.

    Raises:
        DamagedData: Something was published and cannot be put back: git lacks it, or other data stand in its place.
    """
    if not chain:
        return []
    is_behind = latest < chain[-1].number
    entries = chain if whole or is_behind else chain[-1:]
    updates = [RefUpdate(entry.ref, entry.object) for entry in entries if _is_gone(git, entry)]
    if not is_behind:
        return updates
    branch, commit = branch_ref(name), _commit_of(git, chain[-1])
    tip = find_ref(git, branch)
    before = None if tip is None else str(tip.target)
    if before is not None and before in git and not _follows(git, commit, before):
        raise DamagedData(
            f"{chain[-1]} was published, and the branch {name} has gone another way since, from {before:.10}: {_HELP}"
        )
    return [*updates, RefUpdate(branch, commit, before)]


def put_back_tag(git: pygit2.Repository, chain: Sequence[Entry], ref: str) -> list[RefUpdate]:
    """Return what puts back one tag, if it was published and is gone; for releases, which have no branch.

    Raises:
        DamagedData: Git lacks it.
    """
    return [RefUpdate(ref, entry.object) for entry in chain if entry.ref == ref and _is_gone(git, entry)]


def _check(git: pygit2.Repository, entry: Entry) -> None:
    found = find_ref(git, entry.ref)
    if found is not None and str(found.target) != entry.object:
        raise DamagedData(
            f"{entry} was published as the tag object {entry.object:.10}, and its tag names {found.target!s:.10} now: "
            f"{_HELP}"
        )


def _is_gone(git: pygit2.Repository, entry: Entry) -> bool:
    _check(git, entry)
    if find_ref(git, entry.ref) is not None:
        return False
    _commit_of(git, entry)
    return True


def _commit_of(git: pygit2.Repository, entry: Entry) -> str:
    try:
        return str(git[entry.object].peel(pygit2.Commit).id)
    except (KeyError, ValueError, pygit2.GitError):
        raise DamagedData(
            f"{entry} was published as the tag object {entry.object:.10}, and git has lost it: {_HELP}"
        ) from None


def _follows(git: pygit2.Repository, commit: str, before: str) -> bool:
    try:
        return commit == before or git.descendant_of(commit, before)
    except (KeyError, ValueError, pygit2.GitError):
        return False


_HELP = (
    "its number must not be given to other data. Bring git's objects and refs back from a backup or a clone "
    "(`git fetch`), and see what `blastgit verify` says"
)
