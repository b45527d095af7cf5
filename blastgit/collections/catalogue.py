"""All collections of one commit of main, or as they would be after a change under consideration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TypeVar

import pygit2

from blastgit.collections.model import Collection
from blastgit.collections.names import FOLDER, is_name, name_of, path_of
from blastgit.collections.text import read_collection
from blastgit.errors import NotFound
from blastgit.naming.nearest import did_you_mean
from blastgit.plumbing.trees import flatten, read_blob

_T = TypeVar("_T", bound=Collection)


class Catalogue:
    """Collections by name. Each file is read once, on first access."""

    def __init__(
        self,
        tree: pygit2.Tree | None,
        changed: Mapping[str, Collection | None] | None = None,
        files: Mapping[str, bytes] = MappingProxyType({}),
    ) -> None:
        """Open the tree of a commit of main.

        Args:
            tree: The tree; None for an empty catalogue.
            changed: Collections that differ from it; None for one that is deleted.
            files: Other files that it does not have yet.
        """
        self._tree = tree
        self._changed = dict(changed or {})
        self._files = dict(files)
        self._read: dict[str, Collection | None] = {}

    def with_changes(
        self, changed: Mapping[str, Collection | None], files: Mapping[str, bytes] = MappingProxyType({})
    ) -> Catalogue:
        """Return the catalogue as it would be after a change of collections, and of other files of main."""
        return Catalogue(self._tree, {**self._changed, **changed}, {**self._files, **files})

    def file(self, path: str) -> bytes | None:
        """Return a file of main that is not a collection, or None if it does not exist."""
        if path in self._files:
            return self._files[path]
        return None if self._tree is None else read_blob(self._tree, path)

    def has_file(self, path: str) -> bool:
        """Whether main has a file."""
        return self.file(path) is not None

    def __iter__(self) -> Iterator[str]:
        folder = self._tree / FOLDER if self._tree is not None and FOLDER in self._tree else None
        there = {name_of(path) for path, _ in flatten(folder)} if isinstance(folder, pygit2.Tree) else set()
        gone = {name for name, collection in self._changed.items() if collection is None}
        return iter(sorted((there | self._changed.keys()) - gone))

    def get(self, name: str) -> Collection | None:
        """Return a collection, or None if it does not exist.

        Raises:
            RepoError: Its file is not valid.
        """
        if name in self._changed:
            return self._changed[name]
        if name not in self._read:
            data = self.data(name)
            self._read[name] = read_collection(data, path_of(name)) if data else None
        return self._read[name]

    def find(self, name: str) -> Collection | None:
        """Return a collection; None if it does not exist or the name is not valid."""
        return self.get(name) if is_name(name) else None

    def __getitem__(self, name: str) -> Collection:
        found = self.get(name)
        if found is None:
            raise self.unknown(name)
        return found

    def unknown(self, name: str) -> NotFound:
        """Return the error that a collection does not exist, with the nearest names."""
        hint = did_you_mean(name, self, "`blastgit collection list` has those there are")
        return NotFound(f"there is no collection {name!r}{hint}")

    def of_type(self, type_: type[_T]) -> Iterator[tuple[str, _T]]:
        """Yield every collection of a type. Reads the beginning of every file."""
        first = f"type: {type_.kind}\n".encode()
        for name in self:
            if name not in self._changed and name not in self._read and not self.data(name).startswith(first):
                continue
            collection = self.get(name)
            if isinstance(collection, type_):
                yield name, collection

    def data(self, name: str) -> bytes:
        """Return a collection's file on main; b"" if it does not exist."""
        return (None if self._tree is None else read_blob(self._tree, path_of(name))) or b""
