"""Copy contents to the stores that changed storage rules send them to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from blastgit.datasets.storage import Placement
from blastgit.plumbing.locks import Journal, hold
from blastgit.progress import Progress, silent
from blastgit.reading.listing import list_transients
from blastgit.repository.base import LOCK_TIMEOUT, Repository
from blastgit.repository.history import History
from blastgit.repository.recovery import clean_up_dead_writer
from blastgit.repository.transfer import Contents, copy_contents, staging
from blastgit.store.local import LocalStore

if TYPE_CHECKING:
    from blastgit.store.pointer import Pointer

_LOCK = ".storage"  # no transient's name has a full stop


@dataclass(frozen=True)
class Due:
    """What changed rules require for published contents.

    Attributes:
        moves: The contents that stores lack.
        in_git: How many contents stay in git itself although rules now send them to a store.
        in_store: How many stay in a store although rules now send them to git: published trees never change.
        in_place: How many stay files of a tree in place, whose pointers name its store.
    """

    moves: list[Move]
    in_git: int = 0
    in_store: int = 0
    in_place: int = 0


@dataclass(frozen=True)
class Move:
    """Contents to be copied to a store.

    Attributes:
        store: The name of the store; "" for the default one.
        url: Its URL.
        contents: The pointer and the SHA-256 of each content that it lacks, by MD5.
    """

    store: str
    url: str
    contents: Contents

    @property
    def size(self) -> int:
        """Their size in bytes."""
        return sum(pointer.size for pointer, _ in self.contents.values())


def due(repository: Repository) -> Due:
    """Return the published contents that the present rules send to stores which lack them.

    Raises:
        RepoError: The rules are not valid.
        StoreError: A store fails.
    """
    placement, history = Placement.of(repository), History(repository)
    others = repository.store.others.items()
    trees = {name for name, part in others if isinstance(part, LocalStore) and part.tree is not None}
    in_place: set[str] = set()
    wanted: dict[str, dict[str, tuple[Pointer, str]]] = {}
    staying: dict[bool, set[str]] = {True: set(), False: set()}
    for each in list_transients(repository, "*"):
        for revision in () if each.revision is None else history.revisions(each.name):
            for path, pointer in revision.pointers.items():
                in_git = revision.held[path].in_git
                if pointer.remote in trees:
                    in_place.add(pointer.md5)
                    continue
                if not in_git:
                    wanted.setdefault(placement(path), {})[pointer.md5] = pointer, revision.sha256(path)
                if in_git != placement.in_git(path, pointer.size):
                    staying[in_git].add(pointer.md5)
    moves = []
    for name, contents in sorted(wanted.items()):
        store = repository.store.named(name)
        lacking = store.missing(contents)
        lacking -= repository.store.missing(lacking)  # what was withdrawn, or lost, cannot be brought
        moves.append(Move(name, store.url, {md5: contents[md5] for md5 in lacking}))
    return Due([move for move in moves if move.contents], len(staying[True]), len(staying[False]), len(in_place))


def bring(repository: Repository, progress: Progress = silent) -> Due:
    """Copy contents to the stores that the rules now send them to, and return what was copied. Old copies stay.

    They stay because published pointers never change, and plain DVC reads from the store that a pointer names. blastgit
    itself finds a content in any store of the data repo.

    Raises:
        Denied: The policy on main does not allow it.
        DamagedData: A content is not what was published.
        StoreError: A store fails; what was copied stays, and the next call continues.
    """
    repository.require("admin")
    repository.prepare_to_edit()
    found = due(repository)
    for move in found.moves:
        target = repository.store.named(move.store)
        folder = staging(repository.store)
        with hold(repository.lock_path(_LOCK), LOCK_TIMEOUT) as lock:
            clean_up_dead_writer(repository, lock)
            lock.announce(Journal.own([folder]))
            copy_contents(repository.store, target, move.contents, progress, folder)
    return found
