"""Change collections: decide on the basis of main as it is now, check, and write one commit that says why."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import pygit2

from blastgit.collections.access import check_access, check_confirmed
from blastgit.collections.catalogue import Catalogue
from blastgit.collections.datasets import Member
from blastgit.collections.model import Collection, Listed, beyond
from blastgit.collections.names import owner_of, path_of
from blastgit.collections.policy import CollectionPolicy
from blastgit.collections.rules import Rules
from blastgit.collections.text import SIZE_LIMIT, check_about, write_collection
from blastgit.errors import InvalidInput, NotFound, RepoError
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.safe_text import one_line
from blastgit.repository.base import Repository
from blastgit.repository.edit import BranchEdit, commit_to_branch

_NAMED = 100
"""Most datasets that a commit message names."""

Alter = Callable[[Catalogue], Mapping[str, Collection | None]]
"""Maps the present collections to those that change; None for one to be deleted."""


@dataclass(frozen=True)
class Changed:
    """The result of a change.

    Attributes:
        names: The collections that changed.
        commit: The commit on main; None after a dry run, or if nothing changed.
        added: The members or children added, as text.
        removed: The members or children removed.
        warnings: What is allowed but not advised.
    """

    names: tuple[str, ...]
    commit: str | None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the result under its stable keys."""
        return {
            "collections": list(self.names), "commit": self.commit, "added": list(self.added),
            "removed": list(self.removed), "warnings": list(self.warnings),
        }  # fmt: skip


@dataclass(frozen=True)
class Intent:
    """Why and how a change is made.

    Attributes:
        reason: Why, in one line that everybody will read.
        yes: Whether the change of a protected collection is confirmed.
        dry_run: Whether to check only, and write nothing.
    """

    reason: str
    yes: bool = False
    dry_run: bool = False

    def __str__(self) -> str:
        return self.reason

    def __post_init__(self) -> None:
        """Check the reason.

        Raises:
            InvalidInput: It is not one line.
        """
        if not self.reason.strip() or one_line(self.reason) != self.reason:
            raise InvalidInput("the reason should be one line: those who wonder why will read it in the log")


Reason = str | Intent
"""Why, in one line; or an `Intent` with more options."""


def change(
    repository: Repository,
    subject: str,
    alter: Alter,
    reason: Reason,
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Changed:
    """Change collections in one commit on main.

    Args:
        repository: The data repo.
        subject: What the change does: `Add 2 datasets to nearby`.
        alter: Called with main's lock held, and again if somebody else moves main meanwhile.
        reason: Why, and how.
        files: Other files to write to main, by path, if anything changes.

    Raises:
        BlastgitError: It would break a rule, or this user may not; nothing has changed.
        Busy: Others held main for too long.
    """
    intent = reason if isinstance(reason, Intent) else Intent(reason)
    done = Changed((), None)

    def decide(tip: pygit2.Commit | None) -> BranchEdit | None:
        nonlocal done
        before = Catalogue(None if tip is None else tip.tree)
        altered = alter(before)
        changed = {name: new for name, new in altered.items() if before.get(name) != new}
        done = Changed(tuple(changed), None, *_difference(before, changed), _warnings(before, changed))
        if not changed:
            return None
        _check(repository, before, before.with_changes(changed, files), intent, changed)
        written = {**files, **{path_of(name): _written(name, new) for name, new in changed.items()}}
        names = ", ".join(sorted(changed))
        trailers = {Trailer.COLLECTIONS: names, Trailer.CONFIRMED: names if intent.yes else None}
        body = [*(f"+ {text}" for text in done.added), *(f"- {text}" for text in done.removed)]
        more = [f"and {len(body) - _NAMED:,} more"] if len(body) > _NAMED else []
        return BranchEdit(written, f"{subject}: {intent.reason}", (*body[:_NAMED], *more), trailers)

    if intent.dry_run:
        decide(repository.main)
        return done
    commit = commit_to_branch(repository, "main", decide)
    return replace(done, commit=commit) if done.names else done


def _check(repository: Repository, before: Catalogue, after: Catalogue, intent: Intent, changed: Iterable[str]) -> None:
    policy = CollectionPolicy.of(repository.settings)
    rules = Rules(repository, policy, before, after)
    for name in changed:
        if repository.is_here:  # for a remote repo, the server knows who pushes
            check_access(repository.settings, name)
        rules.check(name)
    check_confirmed(policy, changed, changed if intent.yes else ())


def _written(name: str, collection: Collection | None) -> bytes | None:
    if collection is None:
        return None
    try:
        check_about(collection, name)
    except RepoError as error:
        raise InvalidInput(str(error)) from None
    data = write_collection(collection)
    if len(data) > SIZE_LIMIT:
        raise InvalidInput(f"{name} would have {len(data):,} bytes, more than the {SIZE_LIMIT:,} allowed: chain two")
    return data


def with_members(collection: Listed, members: Iterable[Member]) -> Listed:
    """Return a collection with more members, except those it already has."""
    lines = collection.lines
    new = {collection.line(member) for member in members}
    missing = [line for line in new if lines[(at := bisect_left(lines, line)) : at + 1] != (line,)]
    return replace(collection, lines=tuple(sorted((*lines, *missing))))


def without(name: str, collection: Listed, leaving: Iterable[str]) -> Listed:
    """Return a collection without some of its lines.

    Raises:
        NotFound: It has no such line.
    """
    there, gone = set(collection.lines), set(leaving)
    missing = sorted(gone - there)
    if missing:
        raise NotFound(f"{name} does not hold {collection.parse(missing[0])}")
    return replace(collection, lines=tuple(line for line in collection.lines if line not in gone))


def _difference(before: Catalogue, changed: Mapping[str, Collection | None]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    pairs = [(before.get(name), new) for name, new in changed.items()]
    added = (text for old, new in pairs for text in beyond(new, old))
    return tuple(added), tuple(text for old, new in pairs for text in beyond(old, new))


def _warnings(before: Catalogue, changed: Mapping[str, Collection | None]) -> tuple[str, ...]:
    made = [name for name, new in changed.items() if new is not None and before.get(name) is None and owner_of(name)]
    return tuple(
        f"{name} names no ticket: u/{owner_of(name)}/TICKET/… tells later what it was for"
        for name in made
        if not any(character.isdigit() for character in name.split("/")[2])
    )
