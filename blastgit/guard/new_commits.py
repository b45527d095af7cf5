"""List the new commits of a pushed branch: all are checked, not only the tip, since readers can get at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pygit2
from pygit2.enums import SortMode

from blastgit.checks.commit import commit_faults
from blastgit.errors import Denied
from blastgit.guard.deny import deny
from blastgit.guard.quarantine import Quarantine
from blastgit.naming.refs import Change


@dataclass(frozen=True)
class Step:
    """One new commit of a branch that people merge.

    Attributes:
        commit: The commit.
        parents: The commits that it follows.
        base: The commit to compare its files with: its parent; for a merge, the newest published commit that it
            contains; None for the first commit.
    """

    commit: pygit2.Commit
    parents: tuple[pygit2.Commit, ...]
    base: pygit2.Commit | None

    def __str__(self) -> str:
        return f"commit {self.commit.id!s:.10}"


def steps(repo: Quarantine, change: Change, what: str) -> Iterator[Step]:
    """Yield the new commits of a branch, oldest first.

    Raises:
        Denied: The branch would not move forward, or a commit is faulty.
    """
    assert change.new is not None
    new = repo.commit(change.new, what)
    if change.old is not None and not repo.is_ancestor(change.old, change.new):
        raise Denied("it would not move forward from where it is: fetch it, merge or rebase, and push again")
    walk = repo.git.walk(new.id, SortMode.TOPOLOGICAL | SortMode.REVERSE)
    if change.old is not None:
        walk.hide(pygit2.Oid(hex=change.old))
    for found in walk:
        commit = repo.commit(found.id, what)
        step = Step(
            commit, tuple(repo.commit(parent, what) for parent in commit.parent_ids), _base(repo, commit, change)
        )
        try:
            deny(commit_faults(commit))
        except Denied as error:
            raise Denied(f"{step}: {error}") from None
        yield step


def _base(repo: Quarantine, commit: pygit2.Commit, change: Change) -> pygit2.Commit | None:
    parents = commit.parent_ids
    if len(parents) > 1 and change.old is not None:
        found = repo.git.merge_base(commit.id, pygit2.Oid(hex=change.old))
        return None if found is None else repo.commit(found, "the commit that it goes on from")
    return repo.commit(parents[0], "the commit before") if parents else None
