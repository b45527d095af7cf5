"""The kernel's information on processes and files: the only evidence that the owner of a lock is dead.

The name of a machine is not evidence: a container has another one each time it starts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

_LOCAL = frozenset({
    0xEF53, 0x58465342, 0x9123683E, 0xF2F52010, 0x2FC12FC1, 0xCA451A4E, 0x3153464A, 0x01021994, 0x858458F6, 0x794C7630,
})  # fmt: skip
"""File systems that only one kernel can mount at a time: ext, XFS, Btrfs, F2FS, ZFS, bcachefs, JFS, tmpfs, ramfs,
overlay (numbers from statfs(2)). Any other may be shared by several machines."""

_READERS = frozenset({
    "git-upload-pack", "upload-pack", "upload-archive", "pack-objects", "cat-file", "rev-list", "for-each-ref",
    "ls-remote", "http-backend", "daemon", "log", "show", "fsck",
})  # fmt: skip
"""Git commands that never lock anything."""

_SLACK = 0.1  # seconds; the kernel measures times of files and ages of processes in ticks


@cache
def boot_id() -> str:
    """Return the id of the kernel's boot; "" if unknown."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def is_of_one_kernel(path: Path) -> bool:
    """Whether only this kernel can have the file system of `path` mounted; false if unknown."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "statfs") or not Path("/proc/self").exists():
        return False
    answer = (ctypes.c_long * 32)()  # `struct statfs` of Linux begins with the type, and is smaller than this
    if library.statfs(os.fsencode(path), answer):
        return False
    return answer[0] & 0xFFFFFFFF in _LOCAL


def owner_of(lock: Path, repo: Path) -> str | None:
    """Return the process that may own a lock file of git, in words; None if no visible process does.

    That is a process that has the file open, or a git process that works in the repository and is older than the file.
    If processes cannot be inspected, every lock is assumed to have an owner.
    """
    if not Path("/proc/self/fd").exists():
        return "a process that this system does not show"
    try:
        found = lock.stat()
    except FileNotFoundError:
        return None
    inode = found.st_dev, found.st_ino
    folder = Path(os.path.realpath(repo))
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError, NotADirectoryError):  # it has ended meanwhile
            if _has_open(process, inode) or (_began(process) <= found.st_ctime + _SLACK and _is_at(process, folder)):
                return f"process {process.name} ({_words(process)})"
    return None


def _has_open(process: Path, inode: tuple[int, int]) -> bool:
    try:
        descriptors = list((process / "fd").iterdir())
    except PermissionError:
        return False  # of another account; the caller also checks whether it is git
    for descriptor in descriptors:
        with suppress(OSError):  # closed meanwhile
            opened = descriptor.stat()
            if (opened.st_dev, opened.st_ino) == inode:
                return True
    return False


def _began(process: Path) -> float:
    """Return when a process began, in seconds since 1970."""
    ticks = int((process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19])
    return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))


def _is_at(process: Path, folder: Path) -> bool:
    """Whether a process is a writing git command that may work in a repository."""
    words = _arguments(process)
    if not words or not Path(words[0]).name.startswith("git") or _READERS & {Path(word).name for word in words[:8]}:
        return False
    try:
        places = list(_places(process, words))
    except PermissionError:
        return True  # of another account, whose folder is unknown
    return any(place == folder or folder in place.parents for place in places) or (folder / "worktrees").exists()


def _places(process: Path, words: list[str]) -> Iterator[Path]:
    here = os.readlink(process / "cwd")  # noqa: PTH115 (the kernel's own text)
    variables = (process / "environ").read_bytes().decode("utf-8", "surrogateescape").split("\0")
    named = [value for name, _, value in (each.partition("=") for each in variables) if name == "GIT_DIR"]
    for word in ["", *named, *words[1:]]:
        place = word.rpartition("=")[2]
        with suppress(ValueError):
            yield Path(os.path.realpath(os.path.join(here, place)))  # noqa: PTH118 (`place` may be empty, or absolute)


def _arguments(process: Path) -> list[str]:
    return (process / "cmdline").read_bytes().decode("utf-8", "surrogateescape").split("\0")[:-1]


def _words(process: Path) -> str:
    text = " ".join(_arguments(process))[:80]
    return "".join(letter if letter.isprintable() else "?" for letter in text)
