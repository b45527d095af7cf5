"""Telling plain DVC in a clone where contents are now: after `store move`, in a subset, in a migrated repo.

The published `.dvc/config` of a tag never changes, so it may name a store that is no longer used. The current location,
from main of the data repo, goes into `.dvc/config.local` of the clone, which git ignores.
"""

from __future__ import annotations

import os
from pathlib import Path

from blastgit.errors import RepoError
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.user_settings import Keep
from blastgit.repository.base import Repository
from blastgit.repository.format import CONFIG
from blastgit.repository.local import LocalRepository
from blastgit.repository.location import local_path
from blastgit.repository.remote import RemoteRepository
from blastgit.store.clone import LocalConfig, local_config

_LOCAL = f"{CONFIG}.local"


def point_to_store(clone: Path, location: str | None = None) -> LocalConfig:
    """Make plain DVC in a clone read contents from the current stores of a data repo.

    Args:
        clone: A folder of the clone.
        location: The data repo; None for the one that was cloned.

    Raises:
        RepoError: The clone has no files, the data repo cannot be reached, or a setting cannot be written.
    """
    top = _asked(clone, "rev-parse", "--show-toplevel")
    if not top:
        raise RepoError(f"{clone} is a clone without files, so DVC has nothing to do in it")
    where = location or _asked(clone, "config", "--get", "remote.origin.url")
    if not where:
        raise RepoError(f"{clone} does not say what it is a clone of: name the data repo with -C REPO")
    top_folder = Path(top)
    if location is None and (beside := local_path(where)) is not None:
        where = str(top_folder / beside)  # git takes a relative address from there
    folder = top_folder / ".dvc"
    if folder.is_symlink() or not folder.is_dir():
        raise RepoError(f"{clone} has no folder .dvc: check out a revision, or main")
    return _write(folder, _open(where).config, where)


def _write(folder: Path, main: bytes, where: str) -> LocalConfig:
    path = folder / Path(_LOCAL).name
    try:
        own = path.read_bytes() if path.exists() else b""
        made = local_config(main, (folder / "config").read_bytes(), own)
        if made.text != own:
            part = folder / f"{path.name}.{os.urandom(8).hex()}"
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(made.text)  # it may hold the user's credentials
            part.replace(path)
    except OSError as error:
        raise RepoError(f"{path} cannot be written as {where} says: {error.strerror}") from None
    return made


def _asked(clone: Path, *words: str) -> str:
    """Return git's output for a clone, or "" if it has none.

    Raises:
        RepoError: Git refused with a reason, such as the owner of the folder.
    """
    try:
        return run_git(None, "-C", str(clone), *words, keep=Keep.TRUST).decode("utf-8", "surrogateescape").strip()
    except GitError as error:
        if error.stderr and "must be run in a work tree" not in error.stderr:
            raise
        return ""


def _open(location: str) -> Repository:
    folder = local_path(location)
    return RemoteRepository(location) if folder is None else LocalRepository(_git_folder(folder))


def _git_folder(folder: Path) -> Path:
    return folder / ".git" if (folder / ".git").is_dir() else folder
