"""Bringing contents to where changed rules of storage send them."""

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
    """What changed rules ask for, of all that is published.

    Attributes:
        moves: What stores lack.
        in_git: How many contents stay in git itself, though rules would have them in a store by now.
        in_store: How many stay in a store, though rules would have them in git itself: no published tree changes.
        in_place: How many stay files of a tree in place, whose pointers name its store.
    """

    moves: list[Move]
    in_git: int = 0
    in_store: int = 0
    in_place: int = 0


@dataclass(frozen=True)
class Move:
    """What a changed rule asks for: contents to be brought to a store.

    Attributes:
        store: The name of the store; "" for the default one.
        url: Where it is.
        contents: The pointer and the SHA-256 of each content that it lacks, by MD5.
    """

    store: str
    url: str
    contents: Contents

    @property
    def size(self) -> int:
        """Bytes of them."""
        return sum(pointer.size for pointer, _ in self.contents.values())


def due(repository: Repository) -> Due:
    """Return what the stores lack that rules, as they are now, send there, of all that is published.

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
    """Copy contents to where the rules send them now, and return what was copied. What holds them already keeps them.

    A published pointer never changes, and plain DVC reads from the store that it names. blastgit itself finds a content
    in any store of the data repo.

    Raises:
        Denied: The policy on main does not let this user.
        DamagedData: A content is not what was published.
        StoreError: A store fails; what was copied stays, and the next call goes on.
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
