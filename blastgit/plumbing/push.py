"""Moving refs of a remote repository with one atomic push that states where each ref must be now."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from blastgit.errors import RepoError
from blastgit.plumbing.connection import remote_words
from blastgit.plumbing.objects import ZERO
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.ref_update import RefUpdate
from blastgit.plumbing.user_settings import Keep

_MOVED = (
    "(stale info)", "(fetch first)", "(non-fast-forward)", "(already exists)", "(needs force)",
    "(atomic transaction failed)", "(failed to update ref)", "(failed to lock", "(incorrect old value",
)  # fmt: skip


class Outcome(Enum):
    """Why a push failed.

    `REFUSED` covers everything but the first two: the server's disk is full, or it rejects an object. With `UNKNOWN`
    the connection ended before the server answered: the refs may or may not have moved.
    """

    MOVED = "moved"
    DECLINED = "declined"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class PushFailed(RepoError):
    """A push failed.

    Attributes:
        outcome: Why.
        said: The message of the server, or else of git.
    """

    def __init__(self, outcome: Outcome, said: str) -> None:
        """Make the error from the outcome and the message."""
        self.outcome = outcome
        self.said = said
        super().__init__(f"the push failed: {said}")


def push_refs(directory: Path, url: str, updates: Sequence[RefUpdate]) -> None:
    """Push all updates or, if any ref is not where it should be, none.

    Args:
        directory: The local repository with the objects; it may be shallow.
        url: The remote repository.
        updates: The refs to move.

    Raises:
        PushFailed: The server did not do it, or did not answer.
    """
    leases = [f"--force-with-lease={update.ref}:{update.old or ''}" for update in updates]
    specs = [f"{'' if update.new == ZERO else update.new}:{update.ref}" for update in updates]
    options = ["--atomic", "--porcelain", "--no-verify", "--no-signed", *leases]
    try:
        report = run_git(directory, "push", *options, "--", url, *specs, keep=Keep.to_reach(url)).decode(
            "utf-8", "replace"
        )
    except GitError as error:
        raise _failure(error) from None
    if any(line.startswith("=\t") for line in report.splitlines()):
        # Somebody else has just pushed the same objects.
        raise PushFailed(Outcome.MOVED, "the refs are there already")


def _failure(error: GitError) -> PushFailed:
    refused = [line for line in error.stdout.splitlines() if line.startswith("!\t") and "[remote failure]" not in line]
    if not refused:
        return PushFailed(Outcome.UNKNOWN, error.said)
    words = " ".join(refused)
    said = remote_words(error.stderr)
    if "hook declined)" in words:
        return PushFailed(Outcome.DECLINED, said or words)
    outcome = Outcome.MOVED if any(word in words for word in _MOVED) else Outcome.REFUSED
    return PushFailed(outcome, said or words)
