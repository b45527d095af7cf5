"""Restoring refs that were lost, so that a published number is never given to other data.

Everything in the ledger was published with all its contents on disk. If its objects still exist, the next writer
restores a missing tag, or moves a branch that was set back forward again, before it decides anything; this cannot be
distinguished from recovery after a crash. If the objects are gone, the writer stops.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

import pygit2

from blastgit.errors import DamagedData
from blastgit.naming.refs import branch_ref
from blastgit.plumbing.objects import find_ref
from blastgit.plumbing.ref_update import RefUpdate
from blastgit.repository.ledger.book import Entry


def put_back(
    git: pygit2.Repository, name: str, chain: Sequence[Entry], latest: int, *, whole: bool = False
) -> list[RefUpdate]:
    """Return the refs of a line of revisions to restore; none if it ends where the ledger says.

    Args:
        git: The repository.
        name: The line: a transient, or a user's own line of one.
        chain: What was published of it.
        latest: The number of the latest revision on its branch; -1 if there is none.
        whole: Whether to check all tags; otherwise only the last one if the branch is where it should be.

    Raises:
        DamagedData: Something published cannot be restored: git lacks it, or other data are in its place.
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
            f"{chain[-1]} was published, but the branch {name} has diverged since, from {before:.10}: {_help(git)}"
        )
    return [*updates, RefUpdate(branch, commit, before)]


def put_back_tag(git: pygit2.Repository, chain: Sequence[Entry], ref: str) -> list[RefUpdate]:
    """Return the update that restores a tag, if it was published and is gone; for releases, which have no branch.

    Raises:
        DamagedData: Git lacks it.
    """
    return [RefUpdate(ref, entry.object) for entry in chain if entry.ref == ref and _is_gone(git, entry)]


def _check(git: pygit2.Repository, entry: Entry) -> None:
    found = find_ref(git, entry.ref)
    if found is not None and str(found.target) != entry.object:
        raise DamagedData(
            f"{entry} was published as the tag object {entry.object:.10}, but its tag now names {found.target!s:.10}: "
            f"{_help(git)}"
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
            f"{entry} was published as the tag object {entry.object:.10}, but git has lost it: {_help(git)}"
        ) from None


def _follows(git: pygit2.Repository, commit: str, before: str) -> bool:
    try:
        return commit == before or git.descendant_of(commit, before)
    except (KeyError, ValueError, pygit2.GitError):
        return False


def _help(git: pygit2.Repository) -> str:
    """Return what to do, which in a mirror clone is something else: the ledger is about what it published itself."""
    config = git.config
    if "remote.origin.mirror" in config and config.get_bool("remote.origin.mirror"):
        return (
            f"this is a mirror of {config['remote.origin.url']}, which may have published other data first. If so, "
            f"`rm -r {quote(str(Path(git.path) / 'blastgit/ledger'))}` has this mirror follow it; then record again "
            "what was recorded here. Never do that in the repo that others read"
        )
    return (
        "its number must not be given to other data. Bring git's objects and refs back from a backup or a clone "
        "(`git fetch`), and see what `blastgit verify` says"
    )
