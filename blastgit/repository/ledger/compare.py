"""Finds where a repository differs from its ledger, or the ledger from its checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pygit2

from blastgit.errors import DamagedData
from blastgit.naming.refs import TAGS
from blastgit.plumbing.objects import commit_of, find_ref
from blastgit.repository.ledger.book import FIRST, Book, Entry, chains_of
from blastgit.repository.ledger.checkpoint import last_checkpoint, lines_of, read_checkpoint, tags_of

Problem = tuple[str, str]
"""Where something is wrong, and what is wrong."""


@dataclass(frozen=True)
class Compared:
    """The result of a comparison.

    Attributes:
        entries: The number of published tags in the ledger.
        unentered: The number of tags it lacks; the next writer of each, or `blastgit maintain`, adds them.
        problems: What is wrong.
    """

    entries: int
    unentered: int
    problems: tuple[Problem, ...]


def compare(git: pygit2.Repository, name: str | None = None, since: pygit2.Commit | None = None) -> Compared:
    """Compare refs with the ledger, and the ledger with the last checkpoint and with one that somebody kept.

    Args:
        git: The repository.
        name: The chain to check; None for all.
        since: A checkpoint that somebody kept.

    Raises:
        DamagedData: A checkpoint cannot be read.
    """
    repo = Path(git.path)
    ledger = Book(repo)
    last = last_checkpoint(git)
    chains = chains_of(ledger.entries() if name is None else ledger.chain(name))
    problems: list[Problem] = []
    for commit in dict.fromkeys((last, since)):
        if commit is not None:
            problems += _taken_over(chains, commit, name, has_book=ledger.folder.is_dir())
            problems += _set_back(git, commit) if name is None else ()
    tags = tags_of(repo, TAGS if name is None else f"{TAGS}{name}")
    known: set[str] = set()
    for chain, entries in sorted(chains.items()):
        problems += _broken(chain, entries)
        problems += _changed(git, entries, tags)
        known |= {entry.ref for entry in entries}
    unentered = sum(1 for ref in tags if ref not in known)
    return Compared(len(known), unentered, tuple(problems))


def _taken_over(
    chains: dict[str, list[Entry]], commit: pygit2.Commit, name: str | None, *, has_book: bool
) -> Iterator[Problem]:
    """Yield the lines of a checkpoint that the ledger has lost, and add them; a fresh copy only has the checkpoint."""
    for chain, entries in chains_of(lines_of(commit)).items():
        if name is not None and chain != name:
            continue
        here = chains.setdefault(chain, [])
        lines = {entry.line for entry in here}
        lost = [entry for entry in entries if entry.line not in lines]
        if lost and has_book and here:
            yield str(lost[0]), f"the checkpoint {commit.id!s:.10} has its line, but the ledger does not"
        if lost and not here:
            here += lost
        elif lost:
            known = {entry.ref for entry in here}
            here += [entry for entry in lost if entry.ref not in known]


def _set_back(git: pygit2.Repository, commit: pygit2.Commit) -> Iterator[Problem]:
    """Yield the branches, main or annotations, that have lost commits since a checkpoint."""
    for ref, oid in read_checkpoint(commit).heads.items():
        reference = find_ref(git, ref)
        try:
            now = None if reference is None else commit_of(reference).id
            kept = now is not None and (str(now) == oid or git.descendant_of(now, oid))
        except (DamagedData, KeyError, ValueError, pygit2.GitError):
            kept = False
        if not kept:
            yield ref, f"it does not descend from {oid:.10}, its tip at the checkpoint {commit.id!s:.10}"


def _broken(chain: str, entries: Sequence[Entry]) -> Iterator[Problem]:
    before = FIRST
    for entry in entries:
        if entry.before != before:
            yield f"ledger of {chain}", f"its line of {entry} does not follow the previous one"
        before = entry.digest


def _changed(git: pygit2.Repository, entries: Sequence[Entry], tags: Mapping[str, str]) -> Iterator[Problem]:
    for entry in entries:
        found = tags.get(entry.ref)
        if found == entry.object:
            continue
        if found is not None:
            yield str(entry), f"it was published as {entry.object}, but its tag now names {found}"
        elif entry.object in git:
            yield str(entry), "it was published, but its tag is gone: `blastgit verify --repair` restores it"
        else:
            yield str(entry), f"it was published as {entry.object}, but tag and object are gone: restore a backup"
