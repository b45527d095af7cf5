"""The entry of a file in the tree of a state: a pointer to a content in a store, or the file itself.

Only small files are kept in git, and only if a storage rule says so. Such a file is at its own path
(`sed_output/x.txt`), every other file is a pointer (`sed_output/x.fits.dvc`), and no file is both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pygit2

from blastgit.plumbing.trees import flatten
from blastgit.store.pointer import SUFFIX

LIMIT = 1 << 20
"""The greatest size in bytes of a file in git itself: every clone has these files of every revision forever."""


class TreeEntry(NamedTuple):
    """The entry of a file in a tree.

    Attributes:
        place: Its path in the tree.
        blob: The blob of the pointer, or of the file itself.
    """

    place: str
    blob: pygit2.Oid

    @property
    def in_git(self) -> bool:
        """Whether the entry is the file itself, not a pointer."""
        return not self.place.endswith(SUFFIX)


def held_in(tree: pygit2.Tree) -> Iterator[tuple[str, TreeEntry]]:
    """Yield the path in the dataset and the tree entry of each file of a state."""
    for path, blob in flatten(tree):
        if path.startswith(".dvc/"):
            continue
        if path.endswith(SUFFIX):
            yield path.removesuffix(SUFFIX), TreeEntry(path, blob)
        elif "/" in path:
            yield path, TreeEntry(path, blob)


def is_held(tree: pygit2.Tree, path: str) -> bool:
    """Whether a state with this tree has a file, without reading the rest of the tree."""
    if f"{path}{SUFFIX}" in tree:
        return True
    return "/" in path and path in tree and isinstance(tree[path], pygit2.Blob)
