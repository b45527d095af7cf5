"""Leases: who is at which stage of a transient, since when, and from when on somebody else may take it over.

A begun stage says "this should have succeeded", which equals a lock that its owner may leave behind when it dies.

**Whose clock.** The clocks of workers disagree, so none of them is asked. A lease is timed by the clock of the file
system that holds the data repo, which is the same for all who write there: the time that it gives to the lock file of
the transient when that is touched. Only a data repo elsewhere, which is pushed to, gives no time: there this machine's
clock counts, the hook refuses a lease whose clock is further off than `SKEW`, and whoever takes over waits so much
longer.

**What clocks cannot spoil.** They decide only for how long somebody waits. What a stage brings is taken in only from
whom the lease belongs to at that moment, by compare and swap on the ref: whoever lost a lease cannot end the stage.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blastgit.plumbing.locks import Lock
    from blastgit.repository.base import Repository

LENGTH = timedelta(hours=1)
"""How long a lease holds, unless its owner says otherwise."""

LONGEST = timedelta(days=30)
"""For how long a lease may be taken."""

SKEW = timedelta(minutes=2)
"""How far a clock may be off from that of the server that a lease is pushed to."""


@dataclass(frozen=True)
class Lease:
    """One stage that has begun and not ended.

    Attributes:
        stage: The stage.
        owner: Whose it is.
        host: The machine of the owner.
        began: When it began.
        until: When it ends if it is not renewed.
        token: The commit that made it: the same owner's next lease of the stage has another.
        attempts: How many times the stage had begun by then in this run.
    """

    stage: str
    owner: str
    host: str
    began: datetime
    until: datetime
    token: str
    attempts: int = 1

    def is_over(self, now: datetime, margin: timedelta = timedelta()) -> bool:
        """Whether somebody else may take it over.

        A lease from the future was timed by a clock that has been set back since: nobody can tell when it would end.
        """
        return now >= self.until + margin or now < self.began - SKEW

    def __str__(self) -> str:
        return f"{self.stage} was begun by {who(self.owner, self.host)}, {self.began:%Y-%m-%d %H:%M:%S} UTC"

    def to_json(self) -> dict[str, Any]:
        """Return the lease under its stable keys."""
        return {
            "stage": self.stage, "owner": self.owner, "host": self.host, "began": self.began.isoformat(),
            "until": self.until.isoformat(), "token": self.token, "attempts": self.attempts,
        }  # fmt: skip


def who(owner: str, host: str) -> str:
    """Return who is at a stage, in words."""
    return owner if host in owner else f"{owner} on {host}"


def repo_time(lock: Lock) -> datetime:
    """Return what time it is where the data repo is kept, as the holder of a lock there."""
    os.utime(lock.descriptor)  # without a time of our own: the file system, perhaps a server's, gives it
    return datetime.fromtimestamp(os.fstat(lock.descriptor).st_mtime, UTC)


def reading_time(repository: Repository) -> datetime:
    """Return the same for somebody who holds no lock; where they may not write either, this machine's time."""
    try:
        with TemporaryFile(dir=repository.work_folder / "locks") as file:
            return datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    except OSError:
        return datetime.now(UTC)


def margin_of(repository: Repository) -> timedelta:
    """Return for how much longer a lease counts: nothing where the repo itself is, else what two clocks may differ."""
    return timedelta() if repository.is_here else 2 * SKEW


def this_machine() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


def this_process() -> str:
    """Return a name for the owner of leases that nobody named: this process."""
    return f"process {os.getpid()} on {this_machine()}"
