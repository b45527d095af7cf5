"""Checkpoints: everything published up to a time, as a commit that is fetched with the repository and can be signed.

`refs/ledger/checkpoint` is a line of commits. The tree of each has the sorted lines of the ledger, in the same files as
the ledger; the message has their number, the SHA-256 of all of them, and the tips of main and annotations. A later
checkpoint has every line of an earlier one, which `compare.py`, or anybody with `comm`, can check.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pygit2

from blastgit.errors import DamagedData, InvalidInput, NotFound
from blastgit.naming.refs import ANNOTATIONS, CHECKPOINT, MAIN, TAGS
from blastgit.naming.trailers import Trailer, read_trailers, write_message
from blastgit.plumbing.batch import Batch
from blastgit.plumbing.objects import commit_of, find_ref, undamaged
from blastgit.plumbing.opening import open_repository
from blastgit.plumbing.process import run_git
from blastgit.plumbing.ref_update import RefUpdate
from blastgit.plumbing.refs import update_refs
from blastgit.plumbing.signing import Sign, UnsignedCommit, signed_commit
from blastgit.repository.ledger.book import Book, Entry, chains_of, read_lines, shard_of
from blastgit.revision.words import plural

LEDGER_LOCK = ".ledger"
"""The name of the lock for making a checkpoint; no transient's name has a full stop."""

_FOLLOWED = {Trailer.MAIN: MAIN, Trailer.ANNOTATIONS: ANNOTATIONS}
_OBJECT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Checkpoint:
    """Everything published up to a time.

    Attributes:
        commit: The commit.
        entries: The number of tags.
        root: `sha256:` and the SHA-256 of all lines.
        origin: The identity of the ledger's repo, `urn:uuid:…`.
        heads: The tips of main and annotations, by ref.
    """

    commit: str
    entries: int
    root: str
    origin: str
    heads: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "commit": self.commit, "entries": self.entries, "root": self.root, "origin": self.origin,
            "heads": dict(self.heads),
        }  # fmt: skip

    def note(self) -> str:
        """Return four lines to keep or publish elsewhere: origin, number of tags, SHA-256, commit."""
        return f"{self.origin}\n{self.entries}\n{self.root}\n{self.commit}\n"


def make_checkpoint(
    git: pygit2.Repository, repo: Path, origin: str, who: pygit2.Signature, sign: Sign | None = None
) -> Checkpoint:
    """Make a checkpoint of the ledger and return it; if nothing changed and no signature is asked for, the last one.

    First, the ledger gets the tags it lacks, and lines that only the last checkpoint has.

    Args:
        git: The repository.
        repo: Its folder.
        origin: The identity of the ledger's repo.
        who: Who makes it, and when.
        sign: How to sign it; None to leave it unsigned.

    Raises:
        RepoError: It cannot be written or signed.
    """
    ledger = Book(repo)
    adopt(git, ledger)
    tip = find_ref(git, CHECKPOINT)
    before = None if tip is None else commit_of(tip)
    batch = Batch(git)
    shards = _sorted(ledger.entries())
    tree = batch.tree({name: batch.blob(data) for name, data in shards.items()})
    heads = {ref: str(found.target) for ref in _FOLLOWED.values() if (found := find_ref(git, ref)) is not None}
    if before is not None and before.tree_id == tree and read_checkpoint(before).heads == heads and sign is None:
        return read_checkpoint(before)
    entries = sum(data.count(b"\n") for data in shards.values())
    trailers = {
        Trailer.LEDGER: origin, Trailer.ENTRIES: str(entries), Trailer.ROOT: _root(shards.values()),
        **{key: heads.get(ref) for key, ref in _FOLLOWED.items()},
    }  # fmt: skip
    message = write_message(f"Ledger of {plural(entries, 'published tag')}", [], trailers)
    parents = [] if before is None else [before.id]
    if sign is None:
        commit = str(batch.commit((who, who), message, tree, parents))
    else:
        commit = signed_commit(repo, batch, UnsignedCommit(who, message, tree, parents), sign)
    update = RefUpdate(CHECKPOINT, commit, None if before is None else str(before.id))
    update_refs(repo, [update], "blastgit: checkpoint of the ledger", objects=batch)
    git = open_repository(repo)  # libgit2 only finds new packs when it opens a repository
    return read_checkpoint(git[commit].peel(pygit2.Commit))


def adopt(git: pygit2.Repository, ledger: Book) -> int:
    """Add the tags that the ledger lacks, and the lines that only the last checkpoint has; return the number of tags.

    This gives a ledger to repositories older than ledgers, and to copies made with `git clone --mirror`.
    """
    entries = list(ledger.entries())
    lines, known = {entry.line for entry in entries}, {entry.ref for entry in entries}
    reference = find_ref(git, CHECKPOINT)
    kept = [] if reference is None else list(lines_of(commit_of(reference)))
    ledger.append(entry for entry in kept if entry.line not in lines and entry.ref not in known)
    known |= {entry.ref for entry in kept}
    new = {ref: oid for ref, oid in tags_of(Path(git.path)).items() if ref not in known}
    ledger.add(new)
    return len(new)


def tags_of(repo: Path, pattern: str = TAGS) -> dict[str, str]:
    """Return the object that each tag names now, by ref; within a chain, in order."""
    order = ("--sort=version:refname", "--format=%(objectname) %(refname)")
    listed = run_git(repo, "for-each-ref", *order, pattern).decode("utf-8", "surrogateescape")
    found = (line.partition(" ") for line in listed.splitlines())
    return {ref: oid for oid, _, ref in found if "/" in ref.removeprefix(TAGS)}


def lines_of(commit: pygit2.Commit) -> Iterator[Entry]:
    """Yield the entries of a checkpoint.

    Raises:
        DamagedData: Git cannot read it.
    """
    for data in _files(commit).values():
        yield from read_lines(data)


def _files(commit: pygit2.Commit) -> dict[str, bytes]:
    with undamaged(CHECKPOINT):
        return {str(entry.name): entry.data for entry in commit.tree if isinstance(entry, pygit2.Blob)}


def read_checkpoint(commit: pygit2.Commit) -> Checkpoint:
    """Read the message of a checkpoint.

    Raises:
        DamagedData: The commit is not a checkpoint.
    """
    trailers = read_trailers(commit.message)
    try:
        heads = {ref: trailers[key] for key, ref in _FOLLOWED.items() if key in trailers}
        entries, root, origin = int(trailers[Trailer.ENTRIES]), trailers[Trailer.ROOT], trailers[Trailer.LEDGER]
        return Checkpoint(str(commit.id), entries, root, origin, heads)
    except (KeyError, ValueError):
        raise DamagedData(f"the commit {commit.id!s:.10} is not a checkpoint of a ledger") from None


def last_checkpoint(git: pygit2.Repository) -> pygit2.Commit | None:
    """Return the commit of the last checkpoint, or None.

    Raises:
        DamagedData: Git cannot read it.
    """
    reference = find_ref(git, CHECKPOINT)
    return None if reference is None else commit_of(reference)


def find_checkpoint(git: pygit2.Repository, given: str) -> pygit2.Commit:
    """Return the commit of a checkpoint that somebody kept, given its id or the file of its note.

    Raises:
        InvalidInput: The argument is neither.
        NotFound: The repository does not have the checkpoint.
        DamagedData: The checkpoint differs from what was kept.
    """
    note = None if _OBJECT.fullmatch(given) else _read_note(Path(given))
    oid = given if note is None else note[3]
    try:
        commit = git[oid].peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError):
        raise NotFound(
            f"there is no checkpoint {oid:.10} here: fetch {CHECKPOINT} from where it was made; if the repository that "
            "made it has lost it, it has been rewritten"
        ) from None
    found = read_checkpoint(commit)
    root = _root(_files(commit)[name] for name in sorted(_files(commit)))
    if root != found.root or (note is not None and note != found.note().splitlines()):
        raise DamagedData(f"the checkpoint {oid:.10} does not match its own message, or the note that was kept")
    return commit


def _read_note(path: Path) -> list[str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    if len(lines) != 4 or not _OBJECT.fullmatch(lines[3]):
        raise InvalidInput(
            f"{path} is not a checkpoint: give the 40 digits of its commit, or the file of the four lines that "
            "`blastgit checkpoint` printed"
        )
    return lines


def _sorted(entries: Iterable[Entry]) -> dict[str, bytes]:
    """Return the files of a checkpoint: chains sorted by name, each in order."""
    shards: dict[str, bytes] = {}
    for chain, lines in sorted(chains_of(entries).items()):
        shard = shard_of(chain)
        shards[shard] = shards.get(shard, b"") + b"".join(entry.line for entry in lines)
    return dict(sorted(shards.items()))


def _root(files: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for data in files:
        digest.update(data)
    return f"sha256:{digest.hexdigest()}"
