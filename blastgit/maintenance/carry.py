"""Provide the contents of a store to a new data repo: by hard links, as copies, or by reference.

Hard links between stores are safe: files in a store are never written to, so both names keep the published bytes until
each repo deletes its own.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Any

from blastgit.errors import DamagedData, StoreError
from blastgit.progress import Progress
from blastgit.repository.transfer import staging
from blastgit.store.base import Store
from blastgit.store.hashing import drain
from blastgit.store.local import LocalStore, store_failure

_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOTSUP)


class Mode(StrEnum):
    """How to provide contents.

    AUTO makes hard links where the file system supports them, and a reference where it does not.
    """

    AUTO = "auto"
    HARDLINK = "hardlink"
    COPY = "copy"
    REFERENCE = "reference"


@dataclass(frozen=True)
class Carried:
    """How the contents of one store were provided.

    Attributes:
        store: The name of the store; "" for the default one.
        mode: By hard links, copies, or reference.
        url: The store in which the new repo has them.
        contents: How many there are.
        size: Their size in bytes.
    """

    store: str
    mode: Mode
    url: str
    contents: int
    size: int

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "store": self.store, "mode": self.mode, "url": self.url, "contents": self.contents, "bytes": self.size,
        }  # fmt: skip


@dataclass(frozen=True)
class Load:
    """The contents of one store that a new repo needs.

    Attributes:
        store: The name of the store; "" for the default one.
        source: The store itself.
        md5s: The contents.
        size: Their size in bytes.
        url: The new repo's store for them, unless they are provided by reference.
    """

    store: str
    source: Store
    md5s: Collection[str]
    size: int
    url: str

    def done(self, mode: Mode) -> Carried:
        """Return the result for a mode."""
        url = self.source.url if mode is Mode.REFERENCE else self.url
        return Carried(self.store, mode, url, len(self.md5s), self.size)


def foresee(load: Load, mode: Mode, near: Path) -> Carried:
    """Return how contents would be provided.

    Args:
        load: The contents.
        mode: The mode asked for.
        near: A folder on the file system of the new repo.
    """
    if mode is Mode.AUTO:
        source = load.source
        linkable = isinstance(source, LocalStore) and source.folder.exists() and _device(source.folder) == _device(near)
        mode = Mode.HARDLINK if linkable else Mode.REFERENCE
    return load.done(mode)


def carry(load: Load, target: Store, mode: Mode, progress: Progress) -> Carried:
    """Provide contents to a new store; they are durable once its folder is synced.

    Args:
        load: The contents.
        target: The new store.
        mode: How to provide them.
        progress: Called with bytes processed.

    Raises:
        StoreError: A store fails, or hard links were asked for and the file system cannot make them.
        DamagedData: A content does not match its MD5.
    """
    if mode is Mode.COPY:
        _copy(load, target, progress)
    elif mode in (Mode.AUTO, Mode.HARDLINK):
        mode = (
            Mode.HARDLINK if _link(load, target, is_must=mode is Mode.HARDLINK, progress=progress) else Mode.REFERENCE
        )
    return load.done(mode)


def _link(load: Load, target: Store, progress: Progress, *, is_must: bool) -> bool:
    """Make hard links; return False, leaving nothing behind, if the file system cannot."""
    source, done = load.source, 0
    if not isinstance(source, LocalStore) or not isinstance(target, LocalStore):
        reason = "only folders of one file system can share files"
    else:
        reason = ""
        try:
            for md5 in load.md5s:
                done += _link_one(source.object_path(md5), target.object_path(md5))
                progress("linking", done, load.size)
            if source.tree is not None:
                target.note_tree(source.tree)
            target.note_borrowed(chain.from_iterable(source.borrowed(load.md5s).values()))
        except FileNotFoundError:
            raise DamagedData(f"the content {md5} was removed from {source.url} meanwhile: repeat the call") from None
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise store_failure(target.url, error) from None
            shutil.rmtree(target.folder / "files", ignore_errors=True)
            reason = str(error.strerror)
    if reason and is_must:
        raise StoreError(
            f"the contents in {source.url} cannot be hard-linked to {load.url} ({reason}): --mode copy copies them, "
            "--mode reference leaves them where they are"
        )
    return not reason


def _link_one(source: Path, target: Path) -> int:
    try:
        os.link(source, target, follow_symlinks=False)
    except FileNotFoundError:
        source.lstat()
        target.parent.mkdir(parents=True, exist_ok=True)
        return _link_one(source, target)
    except OSError as error:
        if error.errno != errno.EMLINK:  # the file has as many links as the file system allows
            raise
        shutil.copy2(source, target)
    return source.stat().st_size


def _copy(load: Load, target: Store, progress: Progress) -> None:
    folder, done = staging(target), 0
    try:
        folder.mkdir(parents=True)
        for md5 in load.md5s:
            with (folder / md5).open("wb") as file:
                sums = drain(load.source.read(md5), file.write)
            if sums.md5 != md5:
                raise DamagedData(
                    f"the content {md5} in {load.source.url} is damaged: `blastgit verify --repair`, then repeat this"
                )
            target.put(folder / md5, sums)
            done += sums.size
            progress("copying", done, load.size)
    except OSError as error:
        raise store_failure(target.url, error) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _device(folder: Path) -> int:
    return folder.stat().st_dev
