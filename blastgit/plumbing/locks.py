"""One writer at a time for each transient, and cleaning up after a writer that died.

A writer holds `flock` on `blastgit/locks/<case-folded name>` and writes into that file who it is: host, pid, boot and
what it may leave behind. The kernel lets go of the lock with the process, so a lock file that can be locked although
it is not empty was left by a writer that is dead; nobody else may take that for granted (git's own processes hold ref
locks too, and those are not ours to remove).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from blastgit.errors import Busy, RepoError
from blastgit.plumbing.refs import RefUpdate

BRIEFLY = 2.0
"""Seconds, for who does not want to wait: whoever opens the repo holds each lock for an instant (`recovery.py`)."""

_FIRST_WAIT, _LONGEST_WAIT = 0.002, 0.1  # seconds


@dataclass(frozen=True)
class Journal:
    """What a writer says of itself while it holds a lock.

    Attributes:
        host: The machine.
        pid: The process.
        boot: The boot of that machine: a pid means nothing after the next one.
        since: When it began (seconds since 1970).
        refs: The refs that it is about to move, and the object ids that they shall have: `ZERO` if one shall go.
        folders: The folders of temporary files that it may leave.
    """

    host: str
    pid: int
    boot: str
    since: float
    refs: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()

    @classmethod
    def own(cls, folders: Sequence[Path] = (), refs: Mapping[str, str] | None = None) -> Journal:
        """Return the journal of this process."""
        return cls(socket.gethostname(), os.getpid(), _boot_id(), time.time(), refs or {}, tuple(map(str, folders)))

    @property
    def is_local(self) -> bool:
        """Whether its writer ran on this machine; flock does not reach beyond one on every file system."""
        return self.host == socket.gethostname()

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {time.strftime('%H:%M:%S', time.gmtime(self.since))} UTC"


@cache
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


@dataclass
class Lock:
    """A lock that is held.

    Attributes:
        left_behind: The journal of a dead writer that held it before, or None.
    """

    path: Path
    descriptor: int
    left_behind: Journal | None

    def __post_init__(self) -> None:
        """What a dead writer announced stands until the new holder says something."""
        self._journal = self.left_behind
        self.is_done = False

    @property
    def announces_moves(self) -> bool:
        """Whether refs may have moved, or be about to."""
        return self._journal is not None and bool(self._journal.refs)

    def announce(self, journal: Journal) -> None:
        """Write down who holds the lock, and what to clean up if it dies."""
        self._journal = journal
        # One write, and the first line is what counts: killed at any instant, the old or the new journal can be read.
        os.pwrite(self.descriptor, json.dumps(asdict(journal)).encode() + b"\n", 0)

    def announce_moves(self, updates: Sequence[RefUpdate]) -> None:
        """Write down the refs that are about to move or to go, beside what was announced before."""
        before = self._journal
        refs = {**(before.refs if before else {}), **{update.ref: update.new for update in updates}}
        self.announce(Journal.own([Path(each) for each in before.folders] if before else [], refs))


@contextmanager
def hold(path: Path, timeout: float) -> Iterator[Lock]:
    """Hold the lock at `path`, waiting up to `timeout` seconds for whoever has it.

    The file is removed at the end, so that a folder of locks lists just the writers there are, and the dead. What a
    dead writer left behind is for the caller to see to (`Lock.left_behind`). A writer that fails when its refs may have
    moved counts as dead: its journal stays, and the next to open the repo completes what it began.

    Raises:
        Busy: Somebody held it all that time.
        RepoError: The lock cannot be written.
    """
    lock = _acquire(path, timeout)
    try:
        yield lock
        lock.is_done = True
    finally:
        if lock.is_done or not lock.announces_moves:
            path.unlink(missing_ok=True)
        os.close(lock.descriptor)


def _acquire(path: Path, timeout: float) -> Lock:
    deadline, wait = time.monotonic() + timeout, _FIRST_WAIT
    while True:
        lock = try_lock(path, create=True)
        if lock is not None:
            return lock
        if time.monotonic() > deadline:
            holder = _read(path)
            raise Busy(
                f"{path.name} has been locked for more than {timeout:g} s by {holder or 'an unknown process'}; "
                "try again later, or allow more time"
            )
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)


def try_lock(path: Path, *, create: bool) -> Lock | None:
    """Take the lock at `path` if nobody has it; None if somebody does, or there is no such file and none is made.

    Raises:
        RepoError: The lock cannot be written.
    """
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
    try:
        descriptor = os.open(path, flags, 0o666)
    except FileNotFoundError:
        if create:
            raise RepoError(f"{path.parent} is missing: is this a data repo?") from None
        return None
    except OSError as error:
        if isinstance(error, PermissionError) and _is_new(path):
            return None  # another account has just made it, and is about to share it
        raise RepoError(f"the lock {path} cannot be taken: {error.strerror}") from None
    try:
        if create:
            _share(descriptor, path.parent)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(descriptor)
        if found.st_ino == path.stat().st_ino:
            return Lock(path, descriptor, _read(path) if found.st_size else None)
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _share(descriptor: int, folder: Path) -> None:
    """Let the group wait for a lock too, where it may make one, whatever this user's umask says."""
    if folder.stat().st_mode & stat.S_IWGRP:
        found = os.fstat(descriptor)
        if found.st_uid == os.geteuid() and not found.st_mode & stat.S_IWGRP:
            os.fchmod(descriptor, 0o664)


def _is_new(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_ctime < 1
    except OSError:
        return False


def _read(path: Path) -> Journal | None:
    try:
        fields = json.loads(path.read_text("utf-8").partition("\n")[0])
        journal = Journal(**{**fields, "folders": tuple(fields["folders"])}) if _is_journal(fields) else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return journal


def _is_journal(fields: dict[str, Any]) -> bool:
    words = [fields["host"], fields["boot"], *fields["folders"], *fields["refs"], *fields["refs"].values()]
    numbers = [fields["pid"], fields["since"]]
    return (
        isinstance(fields["folders"], list)
        and all(isinstance(word, str) for word in words)
        and all(isinstance(number, int | float) for number in numbers)
    )


def announced_folders(folder: Path) -> set[str]:
    """Return the temporary folders that writers name in the locks of `folder`, dead or alive, here or elsewhere."""
    journals = [_read(path) for path in folder.iterdir()] if folder.is_dir() else []
    return {named for journal in journals if journal is not None for named in journal.folders}


def clean_up(directory: Path, dead: Journal, roots: Sequence[Path]) -> None:
    """Remove what a dead writer left: its temporary folders, and the git locks that are provably its own.

    Only the holder of the dead writer's lock calls this. The git process that moved the writer's refs inherits the
    lock, so it is dead too. A ref's lock is the writer's if it holds the object id that the writer announced (no push
    could know it), or is still empty while nobody has it open.

    Args:
        directory: The repository.
        dead: What the writer said of itself.
        roots: Where temporary folders may be; a journal that names others is not believed.
    """
    if not dead.is_local:
        return
    for folder in map(Path, dead.folders):
        if folder.parent in roots and folder.name != "..":
            shutil.rmtree(folder, ignore_errors=True)
    for ref, target in dead.refs.items():
        if not ref.startswith("refs/") or ".." in ref:
            continue
        lock = directory / f"{ref}.lock"
        try:
            content = lock.read_bytes().strip()
            own = content == target.encode() or (not content and not _is_open(lock))
        except OSError:
            continue
        if own:
            lock.unlink(missing_ok=True)


def _is_open(path: Path) -> bool:
    """Whether a process may have the file open; true where that cannot be known."""
    if path.stat().st_uid != os.geteuid() or not Path("/proc/self/fd").exists():
        return True
    wanted = str(path.resolve())
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # the process has ended meanwhile
            if process.stat().st_uid == os.geteuid() and wanted in _open_files(process):
                return True
    return False


def _open_files(process: Path) -> list[str]:
    files = []
    for descriptor in os.listdir(process / "fd"):  # noqa: PTH208 (descriptors are names here, not paths)
        with suppress(FileNotFoundError):  # closed meanwhile, as the one that lists this folder is
            files.append(os.readlink(process / "fd" / descriptor))  # noqa: PTH115 (it need not be a path at all)
    return files
