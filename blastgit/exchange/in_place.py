"""Import files in place: a tree that nobody rewrites is registered as a store.

The store is a folder inside the data repo, in DVC's layout, in which each content is a symbolic link to a file of the
tree. Plain DVC pulls from it as from any other folder, and nothing is copied.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import UsageError
from blastgit.maintenance.move_store import add_store
from blastgit.naming.paths import ROOTS
from blastgit.repository.base import Repository
from blastgit.store.local import LocalStore
from blastgit.store.taking import Taking

if TYPE_CHECKING:
    from blastgit.store.bucket_url import Place

_NAME = "inplace"


def check_taking(repository: Repository, source: Path | Place, taking: Taking) -> None:
    """Check that the files of a source can be taken in the way asked for.

    Raises:
        UsageError: They cannot: archives must be unpacked, and a bucket has no links.
    """
    if not taking.borrows:
        return
    if taking is Taking.HARDLINK and not isinstance(repository.store.named(""), LocalStore):
        raise UsageError(
            f"the store {repository.store.url} is not a folder, so it cannot hold hard links: leave out --mode"
        )
    if not isinstance(source, Path):
        raise UsageError(
            f"{source} is a bucket, in which DVC finds contents by nothing but their MD5: with a store on the same "
            "server the server copies them, and no byte comes here. Leave out --mode"
        )
    if source.is_dir() and not any((source / root).is_dir() for root in ROOTS):
        raise UsageError(f"the files of archives are packed, so none can be linked: import {source} without --mode")


def store_in_place(repository: Repository, tree: Path) -> str:
    """Return the name of the store for a tree; if it is new, it is added to main.

    Raises:
        Denied: The store is new, and this user is not an admin.
        StoreError: It cannot be written.
    """
    place = tree.resolve()
    others = repository.store.others
    for name, part in others.items():
        if isinstance(part, LocalStore) and part.tree == place:
            return name
    name = next(each for n in count(1) if (each := f"{_NAME}-{n}" if n > 1 else _NAME) not in others)
    folder = repository.path.absolute() / _NAME / name
    LocalStore(folder).note_tree(place)
    add_store(repository, name, str(folder))
    return name
