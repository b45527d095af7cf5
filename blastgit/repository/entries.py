"""How a file stands in the tree of a state: as a pointer to a content in a store, or as it is, kept by git itself.

Only small files are kept in git, and only where a rule of storage asks for it. Such a file stands at its own path
(`sed_output/x.txt`), every other one as a pointer (`sed_output/x.fits.dvc`), and none as both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pygit2

from blastgit.plumbing.trees import flatten
from blastgit.store.pointer import SUFFIX

LIMIT = 1 << 20
"""Bytes up to which a file may lie in git itself: every clone has all of them, of every revision, for good."""


class TreeEntry(NamedTuple):
    """What stands for a file in a tree.

    Attributes:
        place: Where in the tree.
        blob: The pointer, or the very bytes.
    """

    place: str
    blob: pygit2.Oid

    @property
    def in_git(self) -> bool:
        """Whether that is the file itself, and not a pointer."""
        return not self.place.endswith(SUFFIX)


def held_in(tree: pygit2.Tree) -> Iterator[tuple[str, TreeEntry]]:
    """Yield the path in the dataset of each file of a state, and what stands for it in the state's tree."""
    for path, blob in flatten(tree):
        if path.startswith(".dvc/"):
            continue
        if path.endswith(SUFFIX):
            yield path.removesuffix(SUFFIX), TreeEntry(path, blob)
        elif "/" in path:
            yield path, TreeEntry(path, blob)


def is_held(tree: pygit2.Tree, path: str) -> bool:
    """Whether a state with this tree has a file, without a look at the others."""
    if f"{path}{SUFFIX}" in tree:
        return True
    return "/" in path and path in tree and isinstance(tree[path], pygit2.Blob)
