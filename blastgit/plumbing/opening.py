"""Opening a repository with libgit2 wherever git itself would: of whom to trust, git has the last word."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import pygit2
from pygit2.enums import RepositoryOpenFlag

_ANYWHERE = RepositoryOpenFlag(0)
_validation = Lock()  # libgit2 has one switch for the whole process


def open_repository(path: Path | str, flags: RepositoryOpenFlag = _ANYWHERE) -> pygit2.Repository:
    """Open a repository.

    One that another user owns is opened if git trusts it. libgit2 reads `safe.directory` by itself, and in another way:
    not from the environment, without links, and without `/*`.

    Args:
        path: Where it is.
        flags: How libgit2 is to look for it (`RepositoryOpenFlag`).

    Raises:
        pygit2.GitError: It cannot be opened.
    """
    try:
        return pygit2.Repository(str(path), flags)
    except pygit2.GitError as error:
        if "owned" not in str(error) or not _is_trusted(path):
            raise
    with _validation:
        before = pygit2.settings.owner_validation
        pygit2.settings.owner_validation = False
        try:
            return pygit2.Repository(str(path), flags)
        finally:
            pygit2.settings.owner_validation = before


def is_partial(git: pygit2.Repository) -> bool:
    """Whether a repository is a clone without some of its objects, which git fetches as it needs them."""
    return any(entry.name.startswith("remote.") and entry.name.endswith(".promisor") for entry in git.config)


def _is_trusted(path: Path | str) -> bool:
    from blastgit.plumbing.process import GitError, run_git
    from blastgit.plumbing.user_settings import Keep

    words = ("-c", "safe.bareRepository=all", "-C", str(path), "rev-parse", "--git-dir")
    try:
        run_git(None, *words, keep=Keep.TRUST)
    except GitError:
        return False
    return True
