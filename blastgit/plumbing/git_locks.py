"""The lock files that git takes in a data repo: whose each one is, and when it may go.

Git makes `NAME.lock` beside what it changes, and removes it at its end; killed, it leaves it, and the next git waits
for nobody. Such a file says little of its owner, so these rules make it known for whatever blastgit starts:

- Whoever may take a git lock holds the `flock` of `locks.py` that belongs to it: a line's for its refs, main's for
  `HEAD` too, `PACKED` for `packed-refs`. Git inherits the descriptor, so the flock is free only when git is dead, too.
- Its journal tells which locks those may be. It goes only after them.
- A lock that holds an announced object id is the journal's. One that tells nothing is, if it is not older than the
  journal and no process may own it (`evidence.py`). Anything else belongs to somebody else, and stays.
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
"""The name of the flock that whoever may lock `packed-refs` holds: deleting a ref takes it, and packing refs."""

OF_PACKED = ("packed-refs.lock", "packed-refs.new")
OF_ALL_REFS = "refs/**/*.lock"
"""Packing refs locks each loose one for a moment."""

OF_PACKING = (
    "objects/pack/multi-pack-index.lock",
    "objects/info/commit-graph.lock",
    "objects/info/commit-graphs/commit-graph-chain.lock",
)
OF_FETCHING = ("shallow.lock",)
OF_SETTINGS = ("config.lock",)
OF_LEDGER = ("refs/ledger/checkpoint.lock",)

_KNOWN = frozenset({*OF_PACKED, OF_ALL_REFS, *OF_PACKING, *OF_FETCHING, *OF_SETTINGS, *OF_LEDGER})
_OTHERS = ("HEAD.lock", "gc.pid.lock", "objects/maintenance.lock")  # those that git takes, too, if others run it
_ZERO = "0" * 40
_SLACK = 2.0  # seconds that a lock may seem older than the journal that announces it: clocks are set


@dataclass(frozen=True)
class Claim:
    """Locks that a writer and its git may have taken.

    Attributes:
        refs: The refs that it moves, with the object ids that they shall have; zeros if one shall go.
        locks: Other lock files by their path in the repository: some of those that this module names.
        since: When it announced them, in seconds since 1970.
    """

    refs: Mapping[str, str]
    locks: tuple[str, ...]
    since: float

    def files(self, repo: Path) -> Iterator[tuple[Path, str | None]]:
        """Yield the lock files that are there, each with the object id that it holds if it is this writer's."""
        for ref, target in self.refs.items():
            if ref.startswith("refs/") and ".." not in ref:
                yield from _there(repo / f"{ref}.lock", None if target == _ZERO else target)
        if head_of(repo) in self.refs:  # git locks HEAD too when the branch moves that it names
            yield from _there(repo / "HEAD.lock", None)
        for pattern in self.locks:
            if pattern in _KNOWN:
                yield from ((path, None) for path in repo.glob(pattern) if path.is_file())


def release(repo: Path, claim: Claim) -> list[Path]:
    """Remove the locks that a claim proves to be those of a writer that is dead, and return those that may be so.

    The caller knows that the writer and its git have ended: it holds their flock, or it was them itself.
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
        except FileNotFoundError:  # whose it was has just done that
            continue
        except OSError:
            doubtful.append(path)
    return doubtful


def blocking(repo: Path, refs: Mapping[str, str]) -> list[Path]:
    """Return the lock files that are there and in the way of moving some refs."""
    locks = ("packed-refs.lock", "packed-refs.new") if _ZERO in refs.values() else ()
    return [path for path, _ in Claim(refs, locks, 0).files(repo)]


def all_locks(repo: Path) -> list[Path]:
    """Return all lock files of git that there are."""
    patterns = {*_KNOWN, *_OTHERS}
    return sorted(path for pattern in patterns for path in repo.glob(pattern) if path.is_file())


def words_for(path: Path, repo: Path, owner: str) -> str:
    """Return what to say of a lock that is in the way: which file, since when, whose, and how to free it."""
    try:
        since = path.stat().st_ctime
    except OSError:
        since = time.time()
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(since))
    command = f"blastgit -C {shlex.quote(str(repo))} locks --free {shlex.quote(str(path.relative_to(repo)))}"
    return (
        f"{path} is locked since {when} UTC ({_age(time.time() - since)}): {owner}. "
        f"When nobody is at work there, `{command}` frees it"
    )


def _age(seconds: float) -> str:
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}s"
    return f"{max(0, seconds):.0f} s"


def _is_line_held(repo: Path, lock: Path) -> bool:
    """Whether a writer of the line that a ref's lock belongs to is at work: then the lock may be its own."""
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
    """Return the branch that HEAD names; "" if it names none."""
    try:
        text = (repo / "HEAD").read_text("utf-8", "replace")
    except OSError:
        return ""
    return text.removeprefix("ref:").strip() if text.startswith("ref:") else ""


def _there(path: Path, target: str | None) -> Iterator[tuple[Path, str | None]]:
    if os.path.lexists(path):
        yield path, target


def _is_own(path: Path, target: str | None, since: float) -> bool | None:
    """Whether a lock is that of a claim by what is in it; None if only its owner can tell."""
    found = path.stat()
    content = path.read_bytes().strip() if target is not None and found.st_size else b""
    if target is not None and content:
        return content == target.encode()
    return None if found.st_ctime > since - _SLACK else False
