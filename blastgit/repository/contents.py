"""Reads contents from a store or git, always verifying their SHA-256."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import DamagedData
from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.store.base import Store

if TYPE_CHECKING:
    from blastgit.content import Tolerance
    from blastgit.store.borrowed import Borrowed


def checked(chunks: Iterable[bytes], sha256: str, what: str, whose: Callable[[], str] = str) -> Iterator[bytes]:
    """Pass chunks on, and raise at the end unless they are what was published.

    Args:
        chunks: The bytes.
        sha256: Their expected SHA-256.
        what: Their name for error messages.
        whose: Returns the end of the error message: what happened to the file behind them; see `of_whom`.

    Raises:
        DamagedData: The bytes have another SHA-256.
    """
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
    found = digest.hexdigest()
    if found != sha256:
        raise DamagedData(f"{what} is damaged: its SHA-256 is {found}, and {sha256} was published{whose()}")


def read_checked(state: Snapshot, path: str, store: Store) -> Iterator[bytes]:
    """Yield the bytes of a state's file, and raise at the end unless they are what was published; see `checked`."""
    where = "git" if state.held[path].in_git else f"the content {state.pointer(path).md5} in {store.url}"
    what = f"{path} of {state} ({where})"
    return checked(state.read(path, store), state.sha256(path), what, lambda: whose(state, path, store))


def whose(state: Snapshot, path: str, store: Store) -> str:
    """Return what happened to the borrowed file behind a state's file, if there is one; see `of_whom`."""
    return "" if state.held[path].in_git else of_whom(store, state.pointer(path).md5)


def of_whom(store: Store, md5: str) -> str:
    """Return what happened to the borrowed file behind a content, as the end of a sentence; "" if nothing."""
    return fate_of(store.borrowed([md5]).get(md5, ()))


def fate_of(files: Iterable[Borrowed]) -> str:
    """Return what happened to the files that a content links to, as the end of a sentence; "" if nothing."""
    changes = [change for each in files if (change := each.change())]
    return f"; it was imported as a link: {', '.join(changes)}" if changes else ""


def fetch_file(state: Snapshot, path: str, store: Store, folder: Path) -> Path:
    """Return the path of a state's verified file: in the store itself if that is a folder, else a copy in `folder`.

    Raises:
        DamagedData: It is missing, or has other bytes.
        StoreError: The store fails.
    """
    local = None if state.held[path].in_git else store.local_path(state.pointer(path).md5)
    if local is None:
        return copy_file(state, path, store, folder)
    for _ in read_checked(state, path, store):
        pass
    return local


def copy_file(state: Snapshot, path: str, store: Store, folder: Path) -> Path:
    """Return a verified copy in `folder` of a state's file; see `fetch_file`."""
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / os.urandom(16).hex()
    with copy.open("xb") as file:
        file.writelines(read_checked(state, path, store))
    return copy


def content_tolerance(repository: Repository) -> Tolerance:
    """Return how close the contents of files must be to count as equal."""
    from blastgit.content import Tolerance

    rules = repository.rules
    return Tolerance(rules.tolerance, rules.volatile_cards, rules.limit)


def published_file(repository: Repository, revision: Snapshot, path: str, folder: Path) -> Path:
    """Return the local path of the verified content of a state's file, fetching it into `folder` if needed.

    Raises:
        DamagedData: The store lacks it, or holds other bytes.
        Withdrawn: It was taken down.
        StoreError: The store fails.
    """
    from blastgit.repository.contents import fetch_file
    from blastgit.repository.tombstones import Withdrawals

    Withdrawals(repository).refuse(revision, [path])

    return fetch_file(revision, path, repository.store, folder)
