"""Leases: who is working on which stage of a transient, since when, and when somebody else may take it over.

A begun stage is like a lock that its owner may leave behind when it dies.

**Whose clock.** The clocks of workers disagree, so they are not used. A lease is timed by the clock of the file system
that holds the data repo, which is the same for all writers: the time that it gives to the transient's lock file when
the file is touched. A remote data repo, which is pushed to, gives no time: there the clock of this machine counts, the
hook refuses a lease whose clock is off by more than `SKEW`, and taking over a lease waits that much longer.

**What clocks cannot break.** They only decide how long somebody waits. The output of a stage is only accepted from the
present holder of the lease, by compare-and-swap on the ref: a worker that lost its lease cannot end the stage.
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
"""The default length of a lease."""

LONGEST = timedelta(days=30)
"""The greatest length of a lease."""

SKEW = timedelta(minutes=2)
"""How far a clock may differ from that of the server to which a lease is pushed."""


@dataclass(frozen=True)
class Lease:
    """The lease of a stage that has begun and not ended.

    Attributes:
        stage: The stage.
        owner: The owner.
        host: The machine of the owner.
        began: When the stage began.
        until: When the lease expires unless renewed.
        token: The commit that made it, unique to this lease.
        attempts: How many times the stage has begun in this run, this one included.
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

        A lease from the future was timed by a clock that has since been set back, so its end is unknown.
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
    """Return who is working on a stage, in words."""
    return owner if host in owner else f"{owner} on {host}"


def repo_time(lock: Lock) -> datetime:
    """Return the time at the data repo, for the holder of a lock there."""
    os.utime(lock.descriptor)  # sets the time of the file system, which may be a server's
    return datetime.fromtimestamp(os.fstat(lock.descriptor).st_mtime, UTC)


def reading_time(repository: Repository) -> datetime:
    """Return the time at the data repo, for readers without a lock; this machine's time if they may not write."""
    try:
        with TemporaryFile(dir=repository.work_folder / "locks") as file:
            return datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    except OSError:
        return datetime.now(UTC)


def margin_of(repository: Repository) -> timedelta:
    """Return how much longer a lease counts: nothing for a local repo, else the difference that clocks may have."""
    return timedelta() if repository.is_here else 2 * SKEW


def this_machine() -> str:
    """Return the name of this machine."""
    return socket.gethostname()


def this_process() -> str:
    """Return the default owner of leases: this process."""
    return f"process {os.getpid()} on {this_machine()}"
