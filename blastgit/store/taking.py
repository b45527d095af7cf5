"""How a local file is put into a store that is a folder: copied, with shared blocks, or linked."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from blastgit.errors import InvalidFiles
from blastgit.store.borrowed import Borrowed, as_borrowed
from blastgit.store.hashing import Checksums, copy_hashing, drain, read_steadily, share_hashing
from blastgit.store.local import READ_ONLY


class Taking(StrEnum):
    """How to put a file into a store.

    COPY: copy its bytes. REFLINK: share its blocks on disk until one of the two is modified. HARDLINK: the content is
    another name of the same file. INPLACE: the content is a symbolic link to the file.
    """

    COPY = "copy"
    REFLINK = "reflink"
    HARDLINK = "hardlink"
    INPLACE = "inplace"

    @property
    def borrows(self) -> bool:
        """Whether the content is somebody else's file, and changes with it."""
        return self in (Taking.HARDLINK, Taking.INPLACE)


def take(path: Path, target: Path, how: Taking) -> tuple[Checksums, Borrowed | None]:
    """Put a file at `target`, reading it once.

    Returns:
        Its checksums; and its current state if the target is a link to it.

    Raises:
        InvalidFiles: It cannot be read, is empty, is not a regular file, or changes meanwhile; or it is writable and
            would be hard-linked.
        OSError: The target cannot be written, or the file system does not support such links.
    """
    if how is Taking.REFLINK:
        return share_hashing(path, target), None
    if how is Taking.COPY:
        return copy_hashing(path, target), None
    real = Path(os.path.realpath(path))
    try:
        before = as_borrowed("", real)
    except OSError as error:
        raise InvalidFiles(f"{path} cannot be read: {error.strerror}") from None
    sums = drain(read_steadily(real), len)
    if how is Taking.HARDLINK:
        refuse_if_rewritable(real)
        _link(real, target)
    else:
        target.symlink_to(real)
    return sums, replace(before, md5=sums.md5)


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except PermissionError:
        raise InvalidFiles(
            f"{path} cannot be hard-linked: only its owner may do that, and some file systems have no hard links. "
            "Import it with --mode copy"
        ) from None


def can_be_rewritten(path: Path) -> bool:
    """Whether a file is writable by its mode, on a writable file system."""
    try:
        return bool(path.stat().st_mode & 0o222) and not os.statvfs(path).f_flag & os.ST_RDONLY
    except OSError:
        return False


def refuse_if_rewritable(path: Path) -> None:
    """Check that a file has the mode of contents: nobody may write it, and everybody may read it.

    Raises:
        InvalidFiles: It has another mode.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise InvalidFiles(f"{path} cannot be read: {error.strerror}") from None
    if mode != READ_ONLY:
        why = "published data could be modified" if mode & 0o222 else "not everybody could read it"
        raise InvalidFiles(
            f"{path} has the mode {mode:04o}, so {why}: `chmod 444` it if nobody modifies it, or import it with "
            "--mode copy"
        )
