"""Git's objects as they are read: one that should be there, and is gone or broken, is damage and is said to be so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pygit2

from blastgit.errors import DamagedData

PARTIAL = "of a clone with --filter: `git fetch --refetch --no-filter`, which completes it"
"""What helps if objects were never there."""


@contextmanager
def undamaged(what: str) -> Iterator[None]:
    """Read git's objects of `what`.

    Raises:
        DamagedData: Git lacks one, cannot read it, or it is of another kind.
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
        DamagedData: It names none that git can read.
    """
    with undamaged(reference.name):
        return reference.peel(pygit2.Commit)
