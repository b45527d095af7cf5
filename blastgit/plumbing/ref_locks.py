"""Moving refs without being blocked by abandoned locks, and without leaving any."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from blastgit.errors import Busy
from blastgit.plumbing.evidence import boot_id, owner_of
from blastgit.plumbing.git_locks import OF_PACKED, PACKED, Claim, blocking, release, words_for
from blastgit.plumbing.locks import Journal, hold, journals

_ZERO = "0" * 40
_PATIENCE = 120.0  # seconds that deleting a ref waits for other deletions or packing
_GRACE = 1.0  # seconds that a lock may exist without a visible owner, which may be in another container
_PAUSE = 0.02


@contextmanager
def locks_in_order(repo: Path, targets: Mapping[str, str]) -> Iterator[tuple[int, ...]]:
    """Yield the descriptors that git must inherit for moving refs, once no abandoned lock blocks it.

    Args:
        repo: The data repo.
        targets: The refs, and their new object ids; zeros for deletion.

    Raises:
        Busy: A git lock without a visible owner is in the way; the error says which, and how to free it.
    """
    folder = repo / "blastgit" / "locks"
    with ExitStack() as stack:
        descriptors: tuple[int, ...] = ()
        if _ZERO in targets.values() and folder.is_dir():
            lock = stack.enter_context(hold(folder / PACKED, _PATIENCE))
            lock.announce(Journal.own(locks=OF_PACKED))
            descriptors = (lock.descriptor,)
        _wait_for_locks(repo, targets)
        yield descriptors


def free_after_failure(repo: Path, targets: Mapping[str, str], since: float) -> None:
    """Remove the locks of a git that was killed while moving refs.

    Args:
        repo: The data repo.
        targets: The refs, and their new object ids.
        since: When that git was started, in seconds since 1970.
    """
    release(repo, Claim(targets, (), since))


def _wait_for_locks(repo: Path, targets: Mapping[str, str]) -> None:
    """Wait briefly for locks without a visible owner; git itself waits for the others."""
    deadline = time.monotonic() + _GRACE
    while found := blocking(repo, targets):
        if any(owner_of(path, repo) is not None for path in found):
            return
        if time.monotonic() > deadline:
            raise Busy(words_for(found[0], repo, _whose(repo, found[0])))
        time.sleep(_PAUSE)


def _whose(repo: Path, path: Path) -> str:
    for lock, journal in journals(repo / "blastgit" / "locks"):
        is_ours = journal.pid == os.getpid() and journal.boot == boot_id()
        if not is_ours and any(path == claimed for claimed, _ in journal.claim.files(repo)):
            return f"{journal} ({lock.name}) may have taken it"
    return (
        "no process that can be seen here holds it, so a git that was killed left it, or one on another machine has it"
    )
