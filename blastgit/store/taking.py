"""How a file of this machine comes into a store that is a folder: copied, with shared blocks, or linked."""

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
    """What becomes of a file.

    COPY: its bytes are copied. REFLINK: it shares its blocks on disk with the copy, until one of the two is written to.
    HARDLINK: the content is a further name of the very file. INPLACE: the content is a symbolic link to it.
    """

    COPY = "copy"
    REFLINK = "reflink"
    HARDLINK = "hardlink"
    INPLACE = "inplace"

    @property
    def borrows(self) -> bool:
        """Whether the content is a file of somebody else, and changes if that does."""
        return self in (Taking.HARDLINK, Taking.INPLACE)


def take(path: Path, target: Path, how: Taking) -> tuple[Checksums, Borrowed | None]:
    """Put a file to `target` in one way or another, reading it once.

    Returns:
        Its checksums; and how it is now if the target is only a link to it.

    Raises:
        InvalidFiles: It cannot be read, is empty, no regular file, or changes meanwhile; or it could be rewritten,
            where it is to be hard-linked.
        OSError: The target cannot be written, or the file system does not make such links.
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
            f"{path} cannot be hard-linked: the system lets only its owner do that, and nobody where the disk has no "
            "hard links. Import it with --mode copy"
        ) from None


def can_be_rewritten(path: Path) -> bool:
    """Whether somebody may write to a file: by its mode, on a file system that takes writes."""
    try:
        return bool(path.stat().st_mode & 0o222) and not os.statvfs(path).f_flag & os.ST_RDONLY
    except OSError:
        return False


def refuse_if_rewritable(path: Path) -> None:
    """Check that nobody may write to a file, and everybody may read it, as it is with all contents of a store.

    Raises:
        InvalidFiles: Somebody may write to it, or not everybody may read it.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise InvalidFiles(f"{path} cannot be read: {error.strerror}") from None
    if mode != READ_ONLY:
        why = "it could be rewritten, and what is published with it" if mode & 0o222 else "not all could read it"
        raise InvalidFiles(
            f"{path} has the mode {mode:04o}, so {why}: `chmod 444` it where nobody rewrites it, or import it with "
            "--mode copy"
        )
