"""A data repo as seen by a hook: with the old refs, and with the pushed objects from git's quarantine."""

from __future__ import annotations

from pathlib import Path

import pygit2
from pygit2.enums import ObjectType, RepositoryOpenFlag

from blastgit.errors import Denied, RepoError
from blastgit.guard.budget import Budget
from blastgit.naming.refs import MAIN
from blastgit.plumbing.objects import find_ref
from blastgit.plumbing.opening import open_repository
from blastgit.repository.local import LocalRepository
from blastgit.repository.policy import Policy

MESSAGE_LIMIT = 1024 * 1024
"""Most bytes of a commit or a tag."""


class Quarantine(LocalRepository):
    """An opened data repo with access to pushed objects. It may still lack main."""

    def __init__(self, path: Path) -> None:
        """Open the repository at `path` by the environment of a hook.

        Raises:
            RepoError: It cannot be opened.
        """
        self.path = path
        self.budget = Budget()
        self._coming_main: str | None = None
        try:
            self.git = open_repository(path, RepositoryOpenFlag.FROM_ENV)
        except (pygit2.GitError, KeyError, OSError) as error:
            raise RepoError(f"the hook cannot read {path}: {error}") from None

    def begin_with(self, main: str | None) -> None:
        """Use the pushed main if the repo has none yet."""
        self._coming_main = main if self.ref(MAIN) is None else None

    @property
    def main(self) -> pygit2.Commit:
        """The tip of main before the push; in a repo without main, the pushed one."""
        return super().main if self._coming_main is None else self.commit(self._coming_main, "main's commit")

    def tip(self, name: str) -> pygit2.Commit | None:
        """Return the tip of a branch before the push; for main in a repo without it, the pushed one."""
        return self.main if name == "main" and self.is_new else super().tip(name)

    @property
    def is_new(self) -> bool:
        """Whether the repo has no main yet, so that the push brings a history published elsewhere."""
        return self._coming_main is not None

    @property
    def policy(self) -> Policy:
        """The policy before the push; without main, the default one."""
        return Policy() if self.ref(MAIN) is None else self.settings.policy

    def ref(self, name: str) -> str | None:
        """Return the object id that a ref has now, or None."""
        reference = find_ref(self.git, name)
        return None if reference is None else str(reference.resolve().target)

    def commit(self, oid: str | pygit2.Oid, what: str) -> pygit2.Commit:
        """Return a commit of bounded size.

        Raises:
            Denied: The object is something else, or too large.
        """
        found = self._object(oid, ObjectType.COMMIT, what)
        assert isinstance(found, pygit2.Commit)
        try:
            found.raw_message.decode()
        except UnicodeDecodeError:
            raise Denied(f"{what}, {oid!s:.10}, has a message that is not UTF-8 text") from None
        if found.message_encoding not in (None, "UTF-8", "utf-8"):
            raise Denied(f"{what}, {oid!s:.10}, states another encoding than UTF-8")
        return found

    def tag(self, oid: str, name: str) -> pygit2.Tag:
        """Return an annotated tag with the name `name` that points to a commit.

        Raises:
            Denied: The object is something else.
        """
        found = self._object(oid, ObjectType.TAG, "the tag")
        assert isinstance(found, pygit2.Tag)
        if found.name != name:
            raise Denied(f"the tag object calls itself {found.name!r}: make it with `git tag -a {name}`")
        self.commit(found.target, "what the tag names")
        return found

    def _object(self, oid: str | pygit2.Oid, kind: ObjectType, what: str) -> pygit2.Object:
        wanted = "an annotated tag (`git tag -a`)" if kind is ObjectType.TAG else "a commit"
        try:
            found, size = self.git.odb.read_header(str(oid))
        except KeyError:
            raise Denied(f"{what}, {oid!s:.10}, was not pushed") from None
        if found != kind:
            raise Denied(f"{what}, {oid!s:.10}, should be {wanted}")
        if size > MESSAGE_LIMIT:
            raise Denied(f"{what}, {oid!s:.10}, has {size:,} bytes, more than the {MESSAGE_LIMIT:,} allowed")
        self.budget.spend(size)
        try:
            return self.git[oid]
        except (pygit2.GitError, ValueError) as error:
            raise Denied(f"{what}, {oid!s:.10}, cannot be read by git: {error}") from None

    def blob(self, oid: pygit2.Oid, limit: int) -> bytes:
        """Return the bytes of a file, after checking its size.

        Raises:
            Denied: It is larger than `limit`, or missing.
        """
        self.check_size(oid, limit)
        data: bytes = self.git[oid].peel(pygit2.Blob).data
        return data

    def check_size(self, oid: pygit2.Oid, limit: int) -> None:
        """Check that a file is there, and how large it is, before anything reads it.

        Raises:
            Denied: It is larger than `limit`, or not there.
        """
        try:
            kind, size = self.git.odb.read_header(oid)
        except KeyError:
            raise Denied(f"the file {oid!s:.10} was not pushed") from None
        if kind != ObjectType.BLOB:
            raise Denied(f"{oid!s:.10} should be a file")
        if size > limit:
            raise Denied(f"it has {size:,} bytes, more than the {limit:,} allowed")
        self.budget.spend(size)

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether a branch moves forward from `old` to `new`."""
        return old == new or self.git.descendant_of(new, old)
