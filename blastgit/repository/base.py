"""An open data repo, local or remote: its refs, its settings, its store."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pygit2
from pygit2.enums import RepositoryOpenFlag

from blastgit.errors import DamagedData, RepoError
from blastgit.naming.names import lock_name
from blastgit.naming.refs import MAIN, branch_ref
from blastgit.plumbing.objects import commit_of, find_ref, list_refs, undamaged
from blastgit.plumbing.opening import is_partial, open_repository
from blastgit.plumbing.trees import read_blob
from blastgit.repository.format import CONFIG, FILE, is_readable

if TYPE_CHECKING:
    from blastgit.plumbing.batch import Batch
    from blastgit.plumbing.ref_update import RefUpdate
    from blastgit.repository.ledger.book import Book
    from blastgit.repository.settings import Settings
    from blastgit.revision.rules import Rules
    from blastgit.store.base import Store
    from blastgit.store.config import Remote

USAGE_VARIABLE, USAGE_SETTING = "BLASTGIT_USAGE", "blastgit.usage"
"""What turns on the log of reads: a user's own file, or a git setting of a local repo."""

LOCK_TIMEOUT = 120.0
"""Seconds that a writer waits for another writer of the same transient."""


class Repository(ABC):
    """A data repo, local (`local.py`) or remote (`remote.py`).

    Attributes:
        path: The bare repository.
        git: Its objects and refs, for reading.
        is_here: Whether this is the data repo itself, not a partial copy of a remote one.
    """

    is_here: ClassVar[bool]
    _read_of_main: tuple[pygit2.Oid | None, dict[str, bytes]] = None, {}  # cached: every step reads the same two files

    def __init__(self, path: Path) -> None:
        """Open the data repo at `path`.

        Raises:
            RepoError: There is no data repo, it belongs to someone else, or its format is newer than this code.
        """
        self.path = path
        self.git = _open(path)
        try:
            settings = self.main_file(FILE)
        except DamagedData:
            if is_partial(self.git):
                raise _incomplete(path) from None
            raise
        if not is_readable(settings):
            _ = self.settings

    @property
    def location(self) -> str:
        """The location of the data repo, for people."""
        return str(self.path)

    def question(self) -> AbstractContextManager[None]:
        """Enter the context of one user query, within which a remote repo fetches each ref only once.

        A nested query belongs to the outer one. `question.py` wraps each public method in one.
        """
        return nullcontext()

    def refresh(self) -> None:  # noqa: B027 (a local repo is always up to date)
        """Make a remote repo fetch again, for a query that waits for others."""

    def expect(self, start: str) -> None:  # noqa: B027 (a local repo fetches nothing)
        """Announce that refs beginning with `start` will be needed: a remote repo fetches them with the next ref."""

    def reference(self, ref: str) -> pygit2.Reference | None:
        """Return a ref as it is now, or None."""
        return find_ref(self.git, ref)

    def references(self, start: str, but: str = "") -> list[str]:
        """Return the names of all refs that begin with `start` but not with `but`. Slow if there are many."""
        names = [ref.decode("utf-8", "replace") for ref in list_refs(self.git, start)]
        return [name for name in names if not (but and name.startswith(but))]

    def look_up(self, refs: Iterable[str]) -> dict[str, pygit2.Reference]:
        """Return the given branches or tags that exist. Look up several at once: this is faster for a remote repo."""
        return {ref: found for ref in refs if (found := find_ref(self.git, ref)) is not None}

    def tip(self, name: str) -> pygit2.Commit | None:
        """Return the tip of a branch as it is now, or None.

        Raises:
            DamagedData: Git cannot read it.
        """
        reference = self.reference(branch_ref(name))
        return None if reference is None else commit_of(reference)

    def object_ids(self, start: str, but: str = "") -> dict[str, str]:
        """Return the object id of each ref that begins with `start` but not with `but`. Slow if there are many."""
        from blastgit.plumbing.process import run_git

        listed = run_git(self.path, "for-each-ref", "--format=%(objectname) %(refname)", start).decode(
            "utf-8", "replace"
        )
        return {row[41:]: row[:40] for row in listed.splitlines() if not (but and row.startswith(but, 41))}

    def commits(self, name: str, start: pygit2.Commit | None = None) -> Iterator[pygit2.Commit]:
        """Yield all commits of a branch, newest first; for a user's own line, continuing beyond its fork.

        Use this only if all commits are needed; otherwise walk from `tip` with `commit_before`.

        Args:
            name: The branch.
            start: The commit to begin with; by default the tip.

        Raises:
            DamagedData: Git cannot read one.
        """
        commit = self.tip(name) if start is None else start
        while commit is not None:
            yield commit
            commit = self.commit_before(name, commit)

    def require(self, role: str, subject: str = "") -> None:
        """Require that the current user has a role. For a remote repo, its server decides, which knows who pushes.

        Args:
            role: One of the roles of the policy.
            subject: The transient or collection concerned.

        Raises:
            Denied: The user does not have the role.
        """
        from blastgit.repository.policy import require

        if self.is_here:
            require(self.settings, role, subject=subject)

    def require_line(self, line: str) -> None:
        """Require the right to record in a line of revisions; see `require`.

        Raises:
            Denied: The user does not have that right.
        """
        from blastgit.repository.policy import require_line

        if self.is_here:
            require_line(self.settings, line)

    @abstractmethod
    def branches(self) -> list[str]:
        """Return the refs of all branches that the repo itself has. Slow if there are many."""

    def commit_before(self, name: str, commit: pygit2.Commit) -> pygit2.Commit | None:
        """Return the previous commit on a transient's branch; None at its beginning, or where a shallow clone ends.

        Raises:
            DamagedData: Git cannot read it.
        """
        with undamaged(name):
            before = next(iter(commit.parent_ids), None)
            if before is None or (self.git.is_shallow and before not in self.git):
                return None
            return self.git[before].peel(pygit2.Commit)

    @property
    def main(self) -> pygit2.Commit:
        """The tip of main, which holds what concerns the whole repo.

        Raises:
            RepoError: There is no main, so this is not a data repo.
            DamagedData: Git cannot read its commit.
        """
        reference = self.reference(MAIN)
        if reference is None:
            raise RepoError(f"{self.path} is a git repository without a branch main: is it a data repo of blastgit?")
        return commit_of(reference)

    def main_file(self, path: str) -> bytes:
        """Return a file of main.

        Raises:
            RepoError: There is no file at that path.
        """
        main = self.main
        known, files = self._read_of_main
        if main.id != known:
            self._read_of_main = main.id, (files := {})
        if path not in files:
            with undamaged("main"):
                tree = main.tree
            data = read_blob(tree, path)
            if data is None:
                raise RepoError(f"{self.path}: main has no {path}; is it a data repo of blastgit?")
            files[path] = data
        return files[path]

    @property
    def settings(self) -> Settings:
        """The current settings on main."""
        from blastgit.repository.settings import read_settings

        return read_settings(self.main_file(FILE))

    @property
    def rules(self) -> Rules:
        """The rules that decide whether a state is a new revision."""
        return self.settings.rules

    @property
    def config(self) -> bytes:
        """Main's `.dvc/config`, which every reader uses regardless of what an old tag has."""
        return self.main_file(CONFIG)

    @cached_property
    def store(self) -> Store:
        """The store of contents: the one named on main, unless this user's own settings name another.

        Raises:
            RepoError: The settings are not valid, or main sets an option that only a user may set.
        """
        return self.open_stores(self.remote())

    def open_stores(self, default: Remote) -> Store:
        """Open a default store, and the other stores named on main.

        Raises:
            RepoError: The settings are not valid, or main sets an option that only a user may set.
        """
        from blastgit.store.config import OWN_FILE, other_remotes
        from blastgit.store.open import open_stores

        others = other_remotes(self.config, self.work_folder / OWN_FILE)
        return open_stores(default, others, self.work_folder)

    def remote(self) -> Remote:
        """Return the location of the store, and how to reach it.

        Raises:
            RepoError: The settings are not valid, or main sets an option that only a user may set.
        """
        from blastgit.store.config import OWN_FILE, chosen_remote

        return chosen_remote(self.config, self.work_folder / OWN_FILE, os.environ)

    @property
    def work_folder(self) -> Path:
        """The folder for blastgit's internal files, which readers do not need."""
        return self.path / "blastgit"

    @property
    def ledger(self) -> Book:
        """The ledger of published tags."""
        from blastgit.repository.ledger.book import Book

        return Book(self.path)

    @property
    def usage_log(self) -> Path | None:
        """The log of reads (`provenance/usage.py`); None by default."""
        named = os.environ.get(USAGE_VARIABLE)
        return Path(named) if named else None

    def lock_path(self, name: str) -> Path:
        """Return the lock of a transient or a reference, including all its lines, or of a branch with many writers."""
        return self.work_folder / "locks" / lock_name(name)

    def prepare_to_write(self) -> None:
        """Make sure that everything a writer of revisions needs exists.

        Raises:
            RepoError: This user may not write to the repo.
        """
        self.prepare_to_edit()

    @property
    def guarded_folders(self) -> list[Path]:
        """The folders by which publishing and deleting contents are synchronised; see `plumbing/turnstile.py`."""
        from blastgit.store.config import OWN_FILE, other_remotes

        others = other_remotes(self.config, self.work_folder / OWN_FILE).values()
        stores = (remote.folder for remote in (self.remote(), *others))
        return [self.work_folder, *(folder for folder in stores if folder is not None)]

    def prepare_to_edit(self) -> None:
        """Make the folders that every writer needs; editing main or annotations needs no store.

        Raises:
            RepoError: This user may not write to the repo.
        """
        folder = self.work_folder / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RepoError(f"{self.path} cannot be written: {error.strerror}") from None
        if not os.access(folder, os.W_OK) or not os.access(self.path / "objects", os.W_OK):
            raise RepoError(f"{self.path} cannot be written by this user: ask its owner, or record in another repo")

    def attempts(self, timeout: float) -> Iterator[None]:
        """Yield for each attempt to move contended refs: once, and again until `timeout` seconds have passed."""
        self._give_up = time.monotonic() + timeout
        yield
        while time.monotonic() < self._give_up:
            yield

    @abstractmethod
    def update_refs(
        self,
        updates: list[RefUpdate],
        message: str,
        *locks: int,
        objects: Batch | None = None,
        synced: Iterable[Path] = (),
    ) -> None:
        """Move refs durably, all or none, with the objects they need; see `update_refs` in `plumbing/refs.py`.

        Raises:
            RefMoved: Somebody else was first: read the repo again and decide again.
            RepoError: The repo cannot be written or reached.
        """

    def committer(self) -> pygit2.Signature:
        """Return the committer, with the current time."""
        return committer(self.git)


def committer(git: pygit2.Repository) -> pygit2.Signature:
    """Return the committer, with the current time: from git's variables and settings, else blastgit itself."""
    values = []
    for variable, key in (("GIT_COMMITTER_NAME", "user.name"), ("GIT_COMMITTER_EMAIL", "user.email")):
        values.append(os.environ.get(variable) or git_setting(git, key))
    return pygit2.Signature(values[0] or "blastgit", values[1] or "blastgit@localhost", _now(), 0)


def _now() -> int:
    stated = os.environ.get("GIT_COMMITTER_DATE")
    if not stated:
        return int(time.time())
    try:
        return int(datetime.fromisoformat(stated).timestamp())
    except ValueError:  # git accepts many more date formats
        from blastgit.plumbing.process import run_git

        anybody = {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a"}
        return int(run_git(None, "var", "GIT_COMMITTER_IDENT", env=anybody).split()[-2])


def git_setting(git: pygit2.Repository, key: str) -> str:
    """Return a git setting; "" if it is not set."""
    try:
        return git.config[key] or ""
    except KeyError:
        return ""


def _incomplete(path: Path) -> RepoError:
    return RepoError(
        f"{path} is a partial clone (git clone --filter), for which git fetches files one by one: fetch them all with "
        f"`git -C {path} fetch --refetch --no-filter`, or name the repo that was cloned"
    )


def _open(path: Path) -> pygit2.Repository:
    try:
        return open_repository(path, RepositoryOpenFlag.NO_SEARCH | RepositoryOpenFlag.BARE)
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        if "owned" in str(error):
            raise RepoError(
                f"{path} belongs to another user, and git does not read such a repository unless you trust it: "
                f"git config --global --add safe.directory {path}"
            ) from None
        if not path.exists():
            raise RepoError(f"there is no data repo at {path}: `blastgit init {path}` would make one") from None
        if "unsupported" in str(error) or "unknown" in str(error):
            raise RepoError(f"{path} is not a data repo: {error}; a data repo uses SHA-1 and refs in files") from None
        raise RepoError(
            f"{path} is not a data repo: it should be a bare git repository made by `blastgit init`"
        ) from None
