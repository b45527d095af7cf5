"""Copying contents between stores, with verification."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import rmtree

from blastgit.errors import DamagedData
from blastgit.plumbing.durable import sync_file_systems
from blastgit.progress import Progress
from blastgit.repository.contents import checked
from blastgit.store.base import Store
from blastgit.store.hashing import Checksums, drain
from blastgit.store.local import store_failure
from blastgit.store.pointer import Pointer

Contents = Mapping[str, tuple[Pointer, str]]
"""The pointer and the SHA-256 of each content, by MD5."""

_AT_ONCE = 8


def staging(target: Store) -> Path:
    """Return the path of a new folder for contents on their way into a store; it is not created yet."""
    return target.staging_root / os.urandom(16).hex()


def copy_contents(source: Store, target: Store, contents: Contents, progress: Progress, folder: Path) -> int:
    """Copy contents from store to store durably, and return their size in bytes.

    Args:
        source: The store that has them.
        target: The store to copy to. Contents that it already has are verified, and repaired if necessary.
        contents: The contents to copy.
        progress: Called with bytes.
        folder: A temporary folder; see `staging`.

    Raises:
        DamagedData: A content is not what was published.
        StoreError: A store fails.
    """
    total, done = sum(pointer.size for pointer, _ in contents.values()), 0
    absent = target.missing(contents)

    def copy(md5: str) -> int:
        pointer, sha256 = contents[md5]
        try:
            sums = _stage(source if md5 in absent else target, md5, sha256, folder / md5)
        except DamagedData:
            if md5 in absent:
                raise
            sums = _stage(source, md5, sha256, folder / md5)
        target.put(folder / md5, sums)  # for an existing content, this notes that somebody relies on it
        return pointer.size

    try:
        folder.mkdir(parents=True)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for size in pool.map(copy, contents):
                done += size
                progress("copying", done, total)
    except OSError as error:
        raise store_failure(target.url, error) from None
    finally:
        rmtree(folder, ignore_errors=True)
    sync_file_systems(target.synced_folders())
    return total


def _stage(store: Store, md5: str, sha256: str, staged: Path) -> Checksums:
    with staged.open("wb") as file:
        return drain(checked(store.read(md5), sha256, f"the content {md5} in {store.url}"), file.write)
