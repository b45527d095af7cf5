"""Git trees as flat mappings from path to blob, read and written without a work tree or an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pygit2

from blastgit.errors import DamagedData
from blastgit.plumbing.objects import FILE_MODE, FOLDER_MODE, PARTIAL

if TYPE_CHECKING:
    from blastgit.plumbing.batch import Batch

Oid = pygit2.Oid
_EMPTY = Oid(hex="4b825dc642cb6eb9a060e54bf8d69288fbee4904")
"""The tree without entries."""


def update_tree(batch: Batch, tree: pygit2.Tree | None, files: Mapping[str, Oid | None]) -> Oid:
    """Add `tree` with some files replaced to a batch, and return its id; unaffected subtrees are not read.

    Args:
        batch: The batch.
        tree: The tree to start from; None for an empty one.
        files: The blob to put at each path; None removes a file, together with folders that become empty.
    """
    entries = {} if tree is None else _entries(tree)
    below: dict[str, dict[str, Oid | None]] = {}
    for path, blob in files.items():
        name, _, rest = path.partition("/")
        if rest:
            below.setdefault(name, {})[rest] = blob
        elif blob is not None:
            entries[name.encode()] = FILE_MODE, blob.raw
        else:
            entries.pop(name.encode(), None)
    for name, inner in below.items():
        old = tree[name] if tree is not None and name in tree else None
        new = update_tree(batch, old if isinstance(old, pygit2.Tree) else None, inner)
        if new != _EMPTY:
            entries[name.encode()] = FOLDER_MODE, new.raw
        else:
            entries.pop(name.encode(), None)
    return batch.folder(entries)


def _entries(tree: pygit2.Tree) -> dict[bytes, tuple[bytes, bytes]]:
    """Return mode and raw object id of each entry by name, ten times as fast as with pygit2's objects."""
    raw, entries, at = tree.read_raw(), {}, 0
    while at < len(raw):
        end = raw.index(b"\0", at)
        mode, _, name = raw[at:end].partition(b" ")
        entries[name] = mode, raw[end + 1 : end + 21]
        at = end + 21
    return entries


def flatten(tree: pygit2.Tree, prefix: str = "") -> Iterator[tuple[str, Oid]]:
    """Yield the path and id of every blob below a tree."""
    for entry in tree:
        path = f"{prefix}{entry.name}"
        if isinstance(entry, pygit2.Tree):
            yield from flatten(entry, f"{path}/")
        else:
            yield path, entry.id


def read_blob(tree: pygit2.Tree, path: str) -> bytes | None:
    """Return the bytes of the file at `path`, or None if the tree has no file there.

    Raises:
        DamagedData: Git has lost the object, or cannot read it.
    """
    try:
        entry = tree[path]
    except KeyError:
        return None
    return _data(entry) if isinstance(entry, pygit2.Blob) else None


def blob_data(repo: pygit2.Repository, blob: Oid) -> bytes:
    """Return the bytes of a blob.

    Raises:
        DamagedData: Git has lost the object, or cannot read it.
    """
    try:
        return _data(repo[blob].peel(pygit2.Blob))
    except KeyError:
        raise _damaged(blob) from None


def _data(blob: pygit2.Blob) -> bytes:
    try:
        return blob.data
    except (KeyError, pygit2.GitError):
        raise _damaged(blob.id) from None


def _damaged(blob: Oid) -> DamagedData:
    return DamagedData(f"git's object {blob} is missing or damaged: run `git fsck` in the data repo ({PARTIAL})")
