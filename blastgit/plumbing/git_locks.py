"""Git's lock files in a data repo: the owner of each, and when it may be removed.

Git makes `NAME.lock` beside the file it changes, and removes it at the end; if it is killed, the lock stays and blocks
the next git. A lock file says little about its owner, so these rules identify the locks of git processes started by
blastgit:

- A process that may take a git lock holds the matching `flock` of `locks.py`: a line's for its refs, main's for `HEAD`
  too, `PACKED` for `packed-refs`. Git inherits the descriptor, so the flock is only free once git is dead, too.
- Its journal lists the possible locks, and is removed only after them.
- A lock that contains an announced object id belongs to the journal. So does an empty one that is not older than the
  journal, if no process may own it (`evidence.py`). All others belong to somebody else, and stay.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from blastgit.plumbing.evidence import owner_of

PACKED = ".packed-refs"
"""The name of the flock for `packed-refs`, taken for deleting and for packing refs."""

OF_PACKED = ("packed-refs.lock", "packed-refs.new")
OF_ALL_REFS = "refs/**/*.lock"
"""Packing refs briefly locks each loose one."""

OF_PACKING = (
    "objects/pack/multi-pack-index.lock",
    "objects/info/commit-graph.lock",
    "objects/info/commit-graphs/commit-graph-chain.lock",
)
OF_FETCHING = ("shallow.lock",)
OF_SETTINGS = ("config.lock",)
OF_LEDGER = ("refs/ledger/checkpoint.lock",)

_KNOWN = frozenset({*OF_PACKED, OF_ALL_REFS, *OF_PACKING, *OF_FETCHING, *OF_SETTINGS, *OF_LEDGER})
_OTHERS = ("HEAD.lock", "gc.pid.lock", "objects/maintenance.lock")  # further locks of git when run by others
_ZERO = "0" * 40
_SLACK = 2.0  # seconds that a lock may seem older than its journal, because clocks are adjusted


@dataclass(frozen=True)
class Claim:
    """Locks that a writer and its git may have taken.

    Attributes:
        refs: The refs that it moves, with their new object ids; zeros for deletion.
        locks: Other lock files by their path in the repository, among those in this module.
        since: When it announced them, in seconds since 1970.
    """

    refs: Mapping[str, str]
    locks: tuple[str, ...]
    since: float

    def files(self, repo: Path) -> Iterator[tuple[Path, str | None]]:
        """Yield the existing lock files, each with the object id that it has if it is this writer's."""
        for ref, target in self.refs.items():
            if ref.startswith("refs/") and ".." not in ref:
                yield from _there(repo / f"{ref}.lock", None if target == _ZERO else target)
        if head_of(repo) in self.refs:  # git also locks HEAD when its branch moves
            yield from _there(repo / "HEAD.lock", None)
        for pattern in self.locks:
            if pattern in _KNOWN:
                yield from ((path, None) for path in repo.glob(pattern) if path.is_file())


def release(repo: Path, claim: Claim) -> list[Path]:
    """Remove the locks that a claim proves to belong to a dead writer, and return those that may belong to it.

    The caller knows that the writer and its git have ended, because it holds their flock or was the writer itself.
    """
    doubtful = []
    for path, target in claim.files(repo):
        try:
            is_own = _is_own(path, target, claim.since)
            may_be_taken = OF_ALL_REFS in claim.locks and _is_line_held(repo, path)
            if may_be_taken or (is_own is None and owner_of(path, repo) is not None):
                doubtful.append(path)
            elif is_own is not False:
                path.unlink(missing_ok=True)
        except FileNotFoundError:  # its owner has just removed it
            continue
        except OSError:
            doubtful.append(path)
    return doubtful


def blocking(repo: Path, refs: Mapping[str, str]) -> list[Path]:
    """Return the lock files that block moving some refs."""
    locks = ("packed-refs.lock", "packed-refs.new") if _ZERO in refs.values() else ()
    return [path for path, _ in Claim(refs, locks, 0).files(repo)]


def all_locks(repo: Path) -> list[Path]:
    """Return all existing lock files of git."""
    patterns = {*_KNOWN, *_OTHERS}
    return sorted(path for pattern in patterns for path in repo.glob(pattern) if path.is_file())


def words_for(path: Path, repo: Path, owner: str) -> str:
    """Return a description of a blocking lock: which file, since when, whose, and how to free it."""
    try:
        since = path.stat().st_ctime
    except OSError:
        since = time.time()
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(since))
    command = f"blastgit -C {shlex.quote(str(repo))} locks --free {shlex.quote(str(path.relative_to(repo)))}"
    return (
        f"{path} has been locked since {when} UTC ({_age(time.time() - since)}): {owner}. "
        f"If nobody is working there, `{command}` frees it"
    )


def _age(seconds: float) -> str:
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}s"
    return f"{max(0, seconds):.0f} s"


def _is_line_held(repo: Path, lock: Path) -> bool:
    """Whether a writer of the line of a ref's lock is active, so that the lock may be its own."""
    for part in lock.relative_to(repo).with_suffix("").parts[1:]:
        with suppress(FileNotFoundError):
            descriptor = os.open(repo / "blastgit" / "locks" / part.casefold(), os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(descriptor)
    return False


def head_of(repo: Path) -> str:
    """Return the branch in HEAD; "" if it is detached."""
    try:
        text = (repo / "HEAD").read_text("utf-8", "replace")
    except OSError:
        return ""
    return text.removeprefix("ref:").strip() if text.startswith("ref:") else ""


def _there(path: Path, target: str | None) -> Iterator[tuple[Path, str | None]]:
    if os.path.lexists(path):
        yield path, target


def _is_own(path: Path, target: str | None, since: float) -> bool | None:
    """Whether a lock belongs to a claim by its content; None if the content does not say."""
    found = path.stat()
    content = path.read_bytes().strip() if target is not None and found.st_size else b""
    if target is not None and content:
        return content == target.encode()
    return None if found.st_ctime > since - _SLACK else False
