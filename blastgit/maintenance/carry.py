"""Contents of one store for a new data repo: as further names of the same files, as copies, or where they are.

A hard link is safe between stores: what lies in one is never written to, so both names show what was published
until each repo deletes its own.
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
    """What becomes of contents.

    AUTO is a hard link where the file system can, and a reference where it cannot.
    """

    AUTO = "auto"
    HARDLINK = "hardlink"
    COPY = "copy"
    REFERENCE = "reference"


@dataclass(frozen=True)
class Carried:
    """What became of the contents of one store.

    Attributes:
        store: Its name; "" for the default one.
        mode: How they came: by hard links, copied, or by reference.
        url: Where the new repo has them.
        contents: How many.
        size: Bytes of them.
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
        store: Its name; "" for the default one.
        source: Where they are.
        md5s: Which.
        size: Bytes of them.
        url: Where the new repo would have them, if not where they are.
    """

    store: str
    source: Store
    md5s: Collection[str]
    size: int
    url: str

    def done(self, mode: Mode) -> Carried:
        """Return what is to be said when they came in some way."""
        url = self.source.url if mode is Mode.REFERENCE else self.url
        return Carried(self.store, mode, url, len(self.md5s), self.size)


def foresee(load: Load, mode: Mode, near: Path) -> Carried:
    """Return how contents would come.

    Args:
        load: The contents.
        mode: How they are to come.
        near: A folder on the file system on which the new repo is to be.
    """
    if mode is Mode.AUTO:
        source = load.source
        linkable = isinstance(source, LocalStore) and source.folder.exists() and _device(source.folder) == _device(near)
        mode = Mode.HARDLINK if linkable else Mode.REFERENCE
    return load.done(mode)


def carry(load: Load, target: Store, mode: Mode, progress: Progress) -> Carried:
    """Bring contents to a new store in one way or another; they are durable once its folder is synchronised.

    Args:
        load: The contents.
        target: The new store.
        mode: How they are to come.
        progress: Called with bytes.

    Raises:
        StoreError: A store fails, or the file system makes no hard links where they are asked for.
        DamagedData: A content is not what its name says.
    """
    if mode is Mode.COPY:
        _copy(load, target, progress)
    elif mode in (Mode.AUTO, Mode.HARDLINK):
        mode = (
            Mode.HARDLINK if _link(load, target, is_must=mode is Mode.HARDLINK, progress=progress) else Mode.REFERENCE
        )
    return load.done(mode)


def _link(load: Load, target: Store, progress: Progress, *, is_must: bool) -> bool:
    """Make hard links; false, with nothing left behind, if the file system does not."""
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
            raise DamagedData(f"the content {md5} has gone from {source.url} meanwhile: repeat the call") from None
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
        if error.errno != errno.EMLINK:  # so many names that the file system takes no more of this one
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
