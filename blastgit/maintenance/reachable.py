"""Find the contents that are needed: those that any ref reaches through any commit, except withdrawn ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import pygit2

from blastgit.errors import DamagedData, RepoError
from blastgit.naming.refs import tag_ref
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.broken import broken_refs
from blastgit.plumbing.objects import commit_of, find_ref, list_refs, undamaged
from blastgit.plumbing.trees import blob_data, flatten
from blastgit.repository.base import Repository
from blastgit.repository.commits import Marker
from blastgit.repository.tombstones import Stones, Withdrawals
from blastgit.store.pointer import SUFFIX, read_pointer

_RELEASED, _NOTHING = re.compile(r"^(?:u/[^/]+/)?[^/@]+@\d+/"), re.compile(r"^(?!)")
"""The folder above a revision's files, in a release and in the revision itself."""

Planned = Mapping[tuple[str, int | None], Stones]
_NONE: Planned = MappingProxyType({})

Gone = frozenset[tuple[str, str]]
"""Withdrawn files, as path and MD5."""


class ReachableContents:
    """The contents that refs reach: branches, tags, releases, all refs.

    Attributes:
        reached: Their MD5s.
        damaged: The refs that git cannot follow, and why. What they need is unknown, so nothing may be deleted.
    """

    def __init__(self, repository: Repository, planned: Planned = _NONE) -> None:
        """Follow every ref of a data repo.

        Args:
            repository: The data repo.
            planned: Tombstones that main does not have yet, by transient and number, None for a draft; of an
                attachment without either.

        Raises:
            DamagedData: Git cannot read main.
            RepoError: The repo is shallow or remote.
        """
        if repository.git.is_shallow or not repository.is_here:
            raise RepoError(
                f"{repository.location} is not all here, so what it needs is not known: run this where it is"
            )
        self.reached: set[str] = set()
        self.damaged: dict[str, str] = {}
        self._planned = planned
        self._repository = repository
        self._git = repository.git
        self._commits: set[pygit2.Oid] = set()
        self._trees: set[pygit2.Oid] = set()
        self._md5s: dict[pygit2.Oid, str] = {}
        self._main: pygit2.Oid | None = None
        self.refresh()

    def refresh(self) -> None:
        """Follow the refs as they are now, except what was followed before.

        Raises:
            DamagedData: Git cannot read main.
        """
        main = self._repository.main.id
        if main != self._main:
            self._main = main
            self._read_withdrawals()
        self.damaged = dict.fromkeys(broken_refs(self._repository.path), "it is not a ref that git can read")
        for ref in list_refs(self._git):
            name = ref.decode("utf-8", "surrogateescape")
            try:
                reference = find_ref(self._git, name)
                if reference is not None:
                    with undamaged(name):
                        tip = self._git[reference.resolve().target]
                    self._follow(tip)
            except DamagedData as error:
                self.damaged[name] = str(error)

    def _read_withdrawals(self) -> None:
        planned = [(name, number, stones) for (name, number), stones in self._planned.items() if name]
        stones = [*Withdrawals(self._repository).all(), *planned]
        attached = {(stone.path, stone.md5) for stone in Withdrawals(self._repository).attachments()}
        attached |= {(stone.path, stone.md5) for stone in self._planned.get(("", 0), {}).values()}
        self._gone: Gone = frozenset(
            attached | {(stone.path, stone.md5) for _, _, found in stones for stone in found.values()}
        )
        self._gone_of: dict[pygit2.Oid, Gone] = {}
        for name, number, found in stones:
            reference = None if number is None else find_ref(self._git, tag_ref(name, number))
            if reference is not None:
                try:
                    commit = commit_of(reference).id
                except DamagedData:
                    continue  # reported when its ref is followed
                self._gone_of[commit] = frozenset((stone.path, stone.md5) for stone in found.values())

    def _follow(self, tip: pygit2.Object) -> None:
        target = tip.peel(None) if isinstance(tip, pygit2.Tag) else tip
        if isinstance(target, pygit2.Tree):
            self._reach_all(target)
        left: list[pygit2.Oid] = [target.id] if isinstance(target, pygit2.Commit) else []
        while left:
            oid = left.pop()
            if oid in self._commits:
                continue
            with undamaged(f"the commit {oid}"):
                commit = self._git[oid].peel(pygit2.Commit)
                self._reach(commit)
            self._commits.add(oid)
            left += commit.parent_ids

    def _reach(self, commit: pygit2.Commit) -> None:
        gone = self._gone_in(commit)
        if not gone:
            self._reach_all(commit.tree)
            return
        above = _RELEASED if Trailer.RELEASE in Marker(commit).trailers else _NOTHING
        for path, blob in flatten(commit.tree):
            if path.endswith(SUFFIX) and not path.startswith(".dvc/"):
                file, md5 = above.sub("", path.removesuffix(SUFFIX)), self._md5(blob, path)
                if (file, md5) not in gone:
                    self.reached.add(md5)

    def _gone_in(self, commit: pygit2.Commit) -> Gone:
        """Return the withdrawn files of a commit. A marker that is not a revision has the files of some revision."""
        if not self._gone:
            return self._gone
        found = self._gone_of.get(commit.id)
        if found is not None:
            return found
        is_revision = Marker(commit).trailers.get(Trailer.MARKER) == "revision"
        return frozenset() if is_revision else self._gone

    def _reach_all(self, tree: pygit2.Tree, prefix: str = "") -> None:
        if tree.id in self._trees:
            return
        for entry in tree:
            path = f"{prefix}{entry.name}"
            if isinstance(entry, pygit2.Tree):
                if path != ".dvc":
                    self._reach_all(entry, f"{path}/")
            elif path.endswith(SUFFIX):
                self.reached.add(self._md5(entry.id, path))
        self._trees.add(tree.id)

    def _md5(self, blob: pygit2.Oid, path: str) -> str:
        if blob not in self._md5s:
            self._md5s[blob] = read_pointer(blob_data(self._git, blob), path).md5
        return self._md5s[blob]


def reached_by_all(roots: Iterable[ReachableContents]) -> set[str]:
    """Return the contents that any of several repos needs from their shared store, by their refs as they are now."""
    needed: set[str] = set()
    for each in roots:
        each.refresh()
        needed |= each.reached
    return needed
