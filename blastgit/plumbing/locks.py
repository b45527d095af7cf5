"""One writer at a time for each transient, and cleaning up after a writer that died.

A writer holds `flock` on `blastgit/locks/<case-folded name>` and writes a journal into that file: who it is and what it
may leave behind. The kernel releases the lock when the process and the git that it started, which inherits it, have
ended. A lock file that is not empty but can be locked was therefore left by a dead writer. This is certain if the
writer ran under this kernel, or if no other kernel can mount the file system; otherwise it must not be assumed.
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
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blastgit.errors import Busy, RepoError
from blastgit.plumbing.evidence import boot_id, is_of_one_kernel
from blastgit.plumbing.git_locks import Claim, release, words_for

if TYPE_CHECKING:
    from blastgit.plumbing.ref_update import RefUpdate

BRIEFLY = 2.0
"""Seconds to wait when not wanting to wait: opening a repo briefly takes each lock (`recovery.py`)."""

_FIRST_WAIT, _LONGEST_WAIT = 0.002, 0.1  # seconds


@dataclass(frozen=True)
class Journal:
    """What a writer notes in its lock.

    Attributes:
        host: The machine, for people only: a container has another name each time it starts.
        pid: The process id.
        boot: The boot id of that machine, without which a process id is meaningless.
        since: When it began (seconds since 1970).
        refs: The refs that it is about to move, and their new object ids; `ZERO` for deletion.
        folders: The temporary folders that it may leave.
        locks: The git locks that it may take besides those of the refs, as in `git_locks.py`.
    """

    host: str
    pid: int
    boot: str
    since: float
    refs: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()

    @classmethod
    def own(
        cls, folders: Sequence[Path] = (), refs: Mapping[str, str] | None = None, locks: Sequence[str] = ()
    ) -> Journal:
        """Return the journal of this process."""
        texts = tuple(map(str, folders))
        return cls(socket.gethostname(), os.getpid(), boot_id(), time.time(), refs or {}, texts, tuple(locks))

    @property
    def claim(self) -> Claim:
        """The git locks that it may have taken."""
        return Claim(self.refs, self.locks, self.since)

    def is_dead(self, path: Path) -> bool:
        """Whether its writer is certainly dead, given that the caller has just got its lock, at `path`."""
        return self.boot == boot_id() or is_of_one_kernel(path)

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {time.strftime('%H:%M:%S', time.gmtime(self.since))} UTC"


@dataclass(eq=False)
class Lock:
    """A lock that is held.

    Attributes:
        left_behind: The journal of a dead writer that held it before, or None.
    """

    path: Path
    descriptor: int
    left_behind: Journal | None

    def __post_init__(self) -> None:
        """Keep a dead writer's journal until the new holder writes its own."""
        self._journal = self.left_behind
        self._inherited: Journal | None = None

    @property
    def announces_moves(self) -> bool:
        """Whether refs may have moved or be about to move."""
        return self._journal is not None and bool(self._journal.refs)

    def announce(self, journal: Journal) -> None:
        """Write the journal: who holds the lock, and what to clean up if it dies.

        Git locks are announced on disk before git takes them: git syncs each lock file, so that after a power cut they
        could exist without a journal that identifies them.

        Raises:
            RepoError: It cannot be written.
        """
        before = self._inherited
        if before is not None:  # some of its locks may still exist
            since = min(before.since, journal.since)
            locks = tuple({*before.locks, *journal.locks})
            journal = replace(journal, refs={**before.refs, **journal.refs}, locks=locks, since=since)
        self._journal = journal
        # One write, of which the first line counts: after a kill at any instant, the old or new journal is readable.
        try:
            os.pwrite(self.descriptor, json.dumps(asdict(journal)).encode() + b"\n", 0)
            if journal.refs or journal.locks:
                os.fsync(self.descriptor)
        except OSError as error:
            raise RepoError(f"the lock {self.path} cannot be written ({error.strerror}), so nothing was done") from None

    def announce_moves(self, updates: Sequence[RefUpdate]) -> None:
        """Add the refs that are about to move or be deleted to the journal."""
        before = self._journal
        refs = {**(before.refs if before else {}), **{update.ref: update.new for update in updates}}
        self.announce(Journal.own([Path(each) for each in before.folders] if before else [], refs))

    def take_for(self, dead: Journal) -> None:
        """Continue as if another writer than the one in the journal had left the lock."""
        self.left_behind = self._journal = dead

    def free_git_locks(self) -> None:
        """Remove the git locks that a dead writer certainly left.

        Raises:
            Busy: There are some, and it is unknown whether their writer is dead.
        """
        dead = self.left_behind
        if dead is None:
            return
        if not dead.is_dead(self.path):
            standing = [path for path, _ in dead.claim.files(self._repo)]
            if standing:
                raise Busy(words_for(standing[0], self._repo, f"taken by {dead}, which may be alive"))
        elif release(self._repo, dead.claim):
            self._inherited = dead

    def take_back_moves(self) -> None:
        """Withdraw the announcement of moves that others blocked: the locks there are not this writer's."""
        if self._inherited is not None:
            self.announce(self._inherited)
        elif self._journal is not self.left_behind:
            self._journal = None
            os.ftruncate(self.descriptor, 0)

    def drop_git_locks(self) -> None:
        """Remove the git locks that this process announced, after a git that it started was killed."""
        if self._journal is not None and self._journal.is_dead(self.path):
            release(self._repo, self._journal.claim)

    def let_go(self) -> None:
        """Release the lock. The journal is removed only after the git locks that it announces."""
        if self._is_clear():
            with suppress(OSError):  # on a failing disk the journal stays, as after a crash
                self.path.unlink()
        os.close(self.descriptor)

    def _is_clear(self) -> bool:
        journal = self._journal
        if journal is None:
            return True
        if not journal.is_dead(self.path):
            return not any(journal.claim.files(self._repo))
        return not release(self._repo, journal.claim)

    @property
    def _repo(self) -> Path:
        return self.path.parents[2]


@contextmanager
def hold(path: Path, timeout: float) -> Iterator[Lock]:
    """Hold the lock at `path`, waiting up to `timeout` seconds for its present holder.

    The file is removed at the end, so that the folder of locks lists only active and dead writers. Git locks of a dead
    writer are removed before the lock is yielded; the caller must clean up the rest (`Lock.left_behind`). A writer that
    fails when its refs may have moved counts as dead: its journal stays, and the next process that opens the repo
    completes its work.

    Raises:
        Busy: Somebody held it all that time; or there is a git lock whose owner may be alive.
        RepoError: The lock cannot be written.
    """
    lock = _acquire(path, timeout)
    try:
        lock.free_git_locks()
        yield lock
    except Busy:
        lock.take_back_moves()
        _let_go_after_failure(lock)
        raise
    except BaseException:
        lock.drop_git_locks()
        _let_go_after_failure(lock)
        raise
    lock.let_go()


def _let_go_after_failure(lock: Lock) -> None:
    """Release a lock after a failure; a git that inherited it may still be ending, and holds it until then."""
    os.close(lock.descriptor)
    if not lock.announces_moves:
        again = try_lock(lock.path, create=False)
        if again is not None:
            again.let_go()


def _acquire(path: Path, timeout: float) -> Lock:
    deadline, wait = time.monotonic() + timeout, _FIRST_WAIT
    while True:
        lock = try_lock(path, create=True)
        if lock is not None:
            return lock
        if time.monotonic() > deadline:
            holder = read_journal(path)
            raise Busy(
                f"{path.name} has been locked for more than {timeout:g} s by {holder or 'an unknown process'}; "
                "try again later, or allow more time"
            )
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)


def try_lock(path: Path, *, create: bool) -> Lock | None:
    """Take the lock at `path`; None if somebody holds it, or if the file does not exist and `create` is false.

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
            return None  # another account has just made it, and will share it in a moment
        raise RepoError(f"the lock {path} cannot be taken: {error.strerror}") from None
    try:
        if create:
            _share(descriptor, path.parent)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(descriptor)
        if found.st_ino == path.stat().st_ino:
            return Lock(path, descriptor, read_journal(path) if found.st_size else None)
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def _share(descriptor: int, folder: Path) -> None:
    """Make a lock group-writable if its folder is, regardless of the umask."""
    if folder.stat().st_mode & stat.S_IWGRP:
        found = os.fstat(descriptor)
        if found.st_uid == os.geteuid() and not found.st_mode & stat.S_IWGRP:
            os.fchmod(descriptor, 0o664)


def _is_new(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_ctime < 1
    except OSError:
        return False


def read_journal(path: Path) -> Journal | None:
    """Return the journal in the lock at `path`, or None."""
    try:
        fields = json.loads(path.read_text("utf-8").partition("\n")[0])
        if not _is_journal(fields):
            return None
        return Journal(**{
            **fields, "folders": tuple(fields["folders"]), "locks": tuple(fields.get("locks", ())),
        })  # fmt: skip
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _is_journal(fields: dict[str, Any]) -> bool:
    words = [fields["host"], fields["boot"], *fields["folders"], *fields["refs"], *fields["refs"].values()]
    words += fields.get("locks", [])  # older journals have none
    numbers = [fields["pid"], fields["since"]]
    return (
        isinstance(fields["folders"], list)
        and all(isinstance(word, str) for word in words)
        and all(isinstance(number, int | float) for number in numbers)
    )


def journals(folder: Path) -> list[tuple[Path, Journal]]:
    """Return the journals of all writers, dead or alive, with locks in a folder."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [(path, journal) for path in paths if (journal := read_journal(path)) is not None]


def remove_folders(dead: Journal, lock: Path, roots: Sequence[Path]) -> None:
    """Remove the temporary folders that a dead writer left.

    Args:
        dead: The writer's journal.
        lock: Its lock, held by the caller.
        roots: Where temporary folders may be; others in the journal are ignored.
    """
    if not dead.is_dead(lock):
        return
    for folder in map(Path, dead.folders):
        if folder.parent in roots and folder.name != "..":
            shutil.rmtree(folder, ignore_errors=True)


def announced_folders(folder: Path) -> set[str]:
    """Return the temporary folders in the journals of all writers, dead or alive, with locks in `folder`."""
    return {named for _, journal in journals(folder) for named in journal.folders}
