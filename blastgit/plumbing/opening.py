"""Opening a repository with libgit2 whenever git itself would trust it."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import pygit2
from pygit2.enums import RepositoryOpenFlag

_ANYWHERE = RepositoryOpenFlag(0)
_validation = Lock()  # libgit2 has a single setting for the whole process


def open_repository(path: Path | str, flags: RepositoryOpenFlag = _ANYWHERE) -> pygit2.Repository:
    """Open a repository.

    A repository of another user is opened if git trusts it. libgit2's own reading of `safe.directory` differs: it
    ignores the environment, links, and `/*`.

    Args:
        path: The repository.
        flags: How libgit2 searches for it (`RepositoryOpenFlag`).

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
    """Whether a repository is a partial clone, which fetches objects on demand."""
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
