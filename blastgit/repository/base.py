"""An opened data repo, here or elsewhere: its refs, its settings, its store. What every verb works on."""

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
"""What has reads noted: a user's own file, or git's setting of a repo on this machine."""

LOCK_TIMEOUT = 120.0
"""Seconds that a writer waits for another one of the same transient."""


class Repository(ABC):
    """A data repo, on this machine (`local.py`) or elsewhere (`remote.py`).

    Attributes:
        path: The bare repository.
        git: Its objects and refs, for reading.
        is_here: Whether that is the data repo itself, and not a part of one elsewhere.
    """

    is_here: ClassVar[bool]
    _read_of_main: tuple[pygit2.Oid | None, dict[str, bytes]] = None, {}  # every step asks for the same two files

    def __init__(self, path: Path) -> None:
        """Open the data repo at `path`.

        Raises:
            RepoError: There is none, it belongs to someone else, or its format is newer than this code.
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
        """Where the data repo is, for people."""
        return str(self.path)

    def question(self) -> AbstractContextManager[None]:
        """Answer one question of a user: inside, what lies elsewhere is as it was when it was first looked at.

        A question inside another one belongs to it. `question.py` puts each public method into one.
        """
        return nullcontext()

    def refresh(self) -> None:  # noqa: B027 (here every answer is as of now)
        """Look at everything again, as it is now; for one question that waits for others."""

    def expect(self, start: str) -> None:  # noqa: B027 (here nothing has to be brought)
        """Say that the refs which begin so will be asked for soon: elsewhere they come along with the next one."""

    def reference(self, ref: str) -> pygit2.Reference | None:
        """Return a ref as it is now; None if there is none."""
        return find_ref(self.git, ref)

    def references(self, start: str, but: str = "") -> list[str]:
        """Return the names of all refs that begin with `start`, and not with `but`. Slow where there are many."""
        names = (ref.decode("utf-8", "replace") for ref in list_refs(self.git))
        return [name for name in names if name.startswith(start) and not (but and name.startswith(but))]

    def look_up(self, refs: Iterable[str]) -> dict[str, pygit2.Reference]:
        """Return those of some branches or tags that there are. Ask for several together: elsewhere it is quicker."""
        return {ref: found for ref in refs if (found := find_ref(self.git, ref)) is not None}

    def tip(self, name: str) -> pygit2.Commit | None:
        """Return the tip of a branch as it is now; None if there is none.

        Raises:
            DamagedData: Git cannot read it.
        """
        reference = self.reference(branch_ref(name))
        return None if reference is None else commit_of(reference)

    def object_ids(self, start: str, but: str = "") -> dict[str, str]:
        """Return what each ref names that begins with `start`, and not with `but`. Slow where there are many."""
        from blastgit.plumbing.process import run_git

        listed = run_git(self.path, "for-each-ref", "--format=%(objectname) %(refname)", start).decode(
            "utf-8", "replace"
        )
        return {row[41:]: row[:40] for row in listed.splitlines() if not (but and row.startswith(but, 41))}

    def commits(self, name: str, start: pygit2.Commit | None = None) -> Iterator[pygit2.Commit]:
        """Yield all commits of a branch, newest first; of a user's own line, on beyond where it forks.

        For questions about all of them: one that may end early goes from `tip` by `commit_before`.

        Args:
            name: The branch.
            start: The commit of it to begin with; by default its tip.

        Raises:
            DamagedData: Git cannot read one.
        """
        commit = self.tip(name) if start is None else start
        while commit is not None:
            yield commit
            commit = self.commit_before(name, commit)

    def require(self, role: str, subject: str = "") -> None:
        """Require a role of the current user. Of a repo elsewhere, its server knows who pushes, and decides.

        Args:
            role: One of the roles of the policy.
            subject: The transient or collection that it is about.

        Raises:
            Denied: They do not have it.
        """
        from blastgit.repository.policy import require

        if self.is_here:
            require(self.settings, role, subject=subject)

    def require_line(self, line: str) -> None:
        """Require the right to record into a line of revisions; see `require`.

        Raises:
            Denied: They do not have it.
        """
        from blastgit.repository.policy import require_line

        if self.is_here:
            require_line(self.settings, line)

    @abstractmethod
    def branches(self) -> list[str]:
        """Return the refs of all branches that the repo itself has. Slow where there are many."""

    def commit_before(self, name: str, commit: pygit2.Commit) -> pygit2.Commit | None:
        """Return the commit before one on a transient's branch; None at its beginning, or where a shallow clone ends.

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
        """The tip of main: what concerns the whole repo.

        Raises:
            RepoError: There is no main, so this is no data repo.
            DamagedData: Git cannot read its commit.
        """
        reference = self.reference(MAIN)
        if reference is None:
            raise RepoError(f"{self.path} is a git repository without a branch main: is it a data repo of blastgit?")
        return commit_of(reference)

    def main_file(self, path: str) -> bytes:
        """Return a file of main.

        Raises:
            RepoError: There is none of that path.
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
        """The settings, as main has them now."""
        from blastgit.repository.settings import read_settings

        return read_settings(self.main_file(FILE))

    @property
    def rules(self) -> Rules:
        """The rules that decide what a new revision is."""
        return self.settings.rules

    @property
    def config(self) -> bytes:
        """Main's `.dvc/config`, which every reader uses, whatever an old tag says."""
        return self.main_file(CONFIG)

    @cached_property
    def store(self) -> Store:
        """The store of contents: the one that main names, unless this user's own settings name another.

        Raises:
            RepoError: The settings are not valid, or main's have an option that is not main's to set.
        """
        return self.open_stores(self.remote())

    def open_stores(self, default: Remote) -> Store:
        """Open a default store, and beside it the others that main names.

        Raises:
            RepoError: The settings are not valid, or main's have an option that is not main's to set.
        """
        from blastgit.store.config import OWN_FILE, other_remotes
        from blastgit.store.open import open_stores

        others = other_remotes(self.config, self.work_folder / OWN_FILE)
        return open_stores(default, others, self.work_folder)

    def remote(self) -> Remote:
        """Return where the store is, and how it is reached.

        Raises:
            RepoError: The settings are not valid, or main's have an option that is not main's to set.
        """
        from blastgit.store.config import OWN_FILE, chosen_remote

        return chosen_remote(self.config, self.work_folder / OWN_FILE, os.environ)

    @property
    def work_folder(self) -> Path:
        """Where blastgit keeps what is its own and concerns no reader."""
        return self.path / "blastgit"

    @property
    def ledger(self) -> Book:
        """What was published here."""
        from blastgit.repository.ledger.book import Book

        return Book(self.path)

    @property
    def usage_log(self) -> Path | None:
        """Where reads are noted (`provenance/usage.py`); None, as usual, if nobody wants that."""
        named = os.environ.get(USAGE_VARIABLE)
        return Path(named) if named else None

    def lock_path(self, name: str) -> Path:
        """Return the lock of a transient or a reference, for all of its lines, or of a branch that many write to."""
        return self.work_folder / "locks" / lock_name(name)

    def prepare_to_write(self) -> None:
        """See that all is there that a writer of revisions needs.

        Raises:
            RepoError: This user may not write to the repo.
        """
        self.prepare_to_edit()

    @property
    def guarded_folders(self) -> list[Path]:
        """Where those who publish contents and those who delete them meet; see `plumbing/turnstile.py`."""
        from blastgit.store.config import OWN_FILE, other_remotes

        others = other_remotes(self.config, self.work_folder / OWN_FILE).values()
        stores = (remote.folder for remote in (self.remote(), *others))
        return [self.work_folder, *(folder for folder in stores if folder is not None)]

    def prepare_to_edit(self) -> None:
        """Make the folders that every writer needs; who edits main or annotations needs no store.

        Raises:
            RepoError: This user may not write to the repo.
        """
        folder = self.work_folder / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RepoError(f"{self.path} cannot be written: {error.strerror}") from None
        if not os.access(folder, os.W_OK) or not os.access(self.path / "objects", os.W_OK):
            raise RepoError(f"{self.path} cannot be written by this user: ask its owner, or record to another repo")

    def attempts(self, timeout: float) -> Iterator[None]:
        """Yield for each try to move refs that others move too: once, and again until `timeout` seconds are over."""
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
        """Move refs, all or none; they and what they need are on disk then; see `update_refs` of `plumbing/refs.py`.

        Raises:
            RefMoved: Somebody else was first: look at the repo again and decide again.
            RepoError: The repo cannot be written, or not be reached.
        """

    def committer(self) -> pygit2.Signature:
        """Return who commits, and now."""
        return committer(self.git)


def committer(git: pygit2.Repository) -> pygit2.Signature:
    """Return who commits, and now: by git's own variables and settings, or else blastgit itself."""
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
    except ValueError:  # git knows many more ways to write a date
        from blastgit.plumbing.process import run_git

        anybody = {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a"}
        return int(run_git(None, "var", "GIT_COMMITTER_IDENT", env=anybody).split()[-2])


def git_setting(git: pygit2.Repository, key: str) -> str:
    """Return a setting of git; "" if nobody has made it."""
    try:
        return git.config[key] or ""
    except KeyError:
        return ""


def _incomplete(path: Path) -> RepoError:
    return RepoError(
        f"{path} is a clone without the contents of files (git clone --filter), which git fetches one by one: bring "
        f"them with `git -C {path} fetch --refetch --no-filter`, or name the repo that it is a clone of"
    )


def _open(path: Path) -> pygit2.Repository:
    try:
        return open_repository(path, RepositoryOpenFlag.NO_SEARCH | RepositoryOpenFlag.BARE)
    except (pygit2.GitError, KeyError, ValueError, OSError) as error:
        if "owned" in str(error):
            raise RepoError(
                f"{path} belongs to another user, and git reads such a repository only when told that it may be "
                f"trusted: git config --global --add safe.directory {path}"
            ) from None
        if not path.exists():
            raise RepoError(f"there is no data repo at {path}: `blastgit init {path}` would make one") from None
        if "unsupported" in str(error) or "unknown" in str(error):
            raise RepoError(f"{path} is no data repo: {error}; a data repo has SHA-1 and its refs in files") from None
        raise RepoError(f"{path} is no data repo: it should be a bare git repository made by `blastgit init`") from None
