"""Puts the files of a recording where the storage rules send them: into a store, or into git itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from blastgit.datasets.storage import Placement
from blastgit.plumbing.batch import Batch
from blastgit.repository.entries import TreeEntry
from blastgit.store.intake import Intake
from blastgit.store.pointer import SUFFIX, Pointer


@dataclass(frozen=True)
class StoredFile:
    """A file that was stored.

    Attributes:
        held: The entry that represents it in the tree.
        size: Size in bytes.
    """

    held: TreeEntry
    size: int


def keep(intake: Intake, batch: Batch, place: Placement, paths: Iterable[str]) -> dict[str, StoredFile]:
    """Store files, and return the tree entry of each; durable once store and git are synchronised.

    Args:
        intake: The files.
        batch: The objects of the commit, to which pointers and files kept in git are added.
        place: Where each file goes.
        paths: The files to store.

    Raises:
        InvalidFiles: A file cannot be read, is empty, or has changed since it was first read.
        StoreError: The store fails.
    """
    sums = intake.sums(paths)
    own = {path for path, found in sums.items() if place.in_git(path, found.size)}
    intake.store([path for path in sums if path not in own], place)
    kept = {}
    for path, found in sums.items():
        if path in own:
            held = TreeEntry(path, batch.blob(intake.content(path)))
        else:
            pointer = Pointer(found.md5, found.size, path.rpartition("/")[2], place(path))
            held = TreeEntry(path + SUFFIX, batch.blob(pointer.write()))
        kept[path] = StoredFile(held, found.size)
    return kept
