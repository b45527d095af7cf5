"""Reading git objects: missing or corrupt objects are reported as DamagedData."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pygit2

from blastgit.errors import DamagedData

ZERO = "0" * 40
"""Git's id for no object: the new id of a ref to delete, or the old id of a new ref."""

_MANY = 1_000_000  # bytes of packed refs: some 8,000

FILE_MODE, FOLDER_MODE = b"100644", b"40000"
"""The modes of files and of subtrees in git's trees."""

PARTIAL = "in a partial clone, `git fetch --refetch --no-filter` completes it"
"""Advice for objects that were never fetched."""


@contextmanager
def undamaged(what: str) -> Iterator[None]:
    """Report errors of git while reading objects of `what` as damage.

    Raises:
        DamagedData: Git lacks an object, cannot read it, or it is of another kind.
    """
    try:
        yield
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise DamagedData(
            f"git's objects of {what} are damaged ({error}): run `git fsck` in the data repo ({PARTIAL})"
        ) from None


def commit_of(reference: pygit2.Reference) -> pygit2.Commit:
    """Return the commit that a ref names.

    Raises:
        DamagedData: Git cannot read it.
    """
    with undamaged(reference.name):
        return reference.peel(pygit2.Commit)


def find_ref(git: pygit2.Repository, name: str) -> pygit2.Reference | None:
    """Return a ref, or None.

    Raises:
        DamagedData: The ref was damaged by a failed disk or a power cut.
    """
    try:
        return git.references.get(name)
    except (ValueError, pygit2.GitError) as error:
        raise DamagedData(
            f"the ref {name} is damaged ({error}): `blastgit verify --repair` restores what was published"
        ) from None


def list_refs(git: pygit2.Repository, start: str = "refs/") -> list[bytes]:
    """Return the names of the refs that begin with `start`. Slow where there are many such.

    Raises:
        DamagedData: The file of packed refs is damaged.
    """
    if start.count("/") > 1 and start.endswith("/") and _has_many_refs(git):
        from blastgit.plumbing.process import GitError, run_git

        with suppress(GitError):  # what libgit2 says below of a damaged file is told in better words
            return run_git(git.path, "for-each-ref", "--format=%(refname)", start).splitlines()
    first = start.encode()
    return [name for name in _list_refs(git) if name.startswith(first)]


def _has_many_refs(git: pygit2.Repository) -> bool:
    """Whether git, which seeks in the packed refs, is quicker to list a few of them than libgit2, which reads all."""
    try:
        return (Path(git.path) / "packed-refs").stat().st_size > _MANY
    except OSError:
        return False


def _list_refs(git: pygit2.Repository) -> list[bytes]:
    try:
        return list(git.raw_listall_references())
    except (ValueError, pygit2.GitError) as error:
        raise DamagedData(
            f"the refs of {git.path} cannot be listed ({error}): restore packed-refs from a backup, or the refs "
            "from a clone, then run `blastgit verify`"
        ) from None
