"""The history of collections: who changed one, when and why, its past states, and what differs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pygit2

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.datasets import Member
from blastgit.collections.model import Run
from blastgit.collections.names import is_name, path_of
from blastgit.collections.resolve import Found
from blastgit.errors import NotFound
from blastgit.naming.names import parse_spec
from blastgit.repository.base import Repository

_COMMIT = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True)
class Entry:
    """One change of a collection.

    Attributes:
        commit: The commit on main.
        time: When (UTC).
        author: Who.
        subject: What was changed and why.
        kind: The type of the collection after it; "" if it was deleted.
    """

    commit: str
    time: datetime
    author: str
    subject: str
    kind: str

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "commit": self.commit, "time": self.time.isoformat(), "author": self.author, "subject": self.subject,
            "type": self.kind or None,
        }  # fmt: skip


def log(repository: Repository, name: str) -> list[Entry]:
    """Return the changes of a collection, newest first.

    Raises:
        NotFound: The collection never existed.
    """
    found = [_entry(commit, name) for commit, changed in _mainline(repository, name) if changed]
    if not found:
        Catalogue(repository.main.tree)[name]
        raise NotFound(f"there never was a collection {name!r}")
    return found


def state(repository: Repository, text: str) -> tuple[str, Catalogue]:
    """Split `NAME` or `NAME@WHEN`, and return the name and all collections as they were then.

    Args:
        repository: The data repo.
        text: WHEN is a commit of main, a date (its end) or a date-time.

    Raises:
        NotFound: The commit does not exist, or main did not exist then.
        InvalidName: WHEN is not a date.
    """
    name, at, when = text.partition("@")
    if not at or when == "latest":
        return name, Catalogue(repository.main.tree)
    return name, Catalogue(commit_at(repository, when).tree)


def commit_at(repository: Repository, when: str) -> pygit2.Commit:
    """Return the commit of main for a commit's id, a date or a date-time; for a RUN, the commit it has stored.

    Raises:
        NotFound: The commit does not exist.
        InvalidName: It is not a date.
    """
    if _COMMIT.fullmatch(when):
        found = next((commit for commit in repository.commits("main") if str(commit.id).startswith(when)), None)
    else:
        run = Catalogue(repository.main.tree).get(when) if is_name(when) else None
        if isinstance(run, Run) and run.main:
            return commit_at(repository, run.main)
        until = None if "/" in when else parse_spec(f"at@{when}").until
        if until is None:
            raise NotFound(f"{when!r} is not a state of main: give a commit's id, a date, or a RUN that has stored one")
        found = main_at(repository, until)
    if found is None:
        raise NotFound(f"main of {repository.location} has no state {when}")
    return found


def main_at(repository: Repository, time: datetime) -> pygit2.Commit | None:
    """Return the commit of main at an instant; None if main did not exist yet."""
    return next((each for each in repository.commits("main", repository.main) if commit_time(each) <= time), None)


@dataclass(frozen=True)
class Difference:
    """What differs between two collections, or two states of one.

    Attributes:
        removed: Datasets that only the first has.
        added: Datasets that only the second has.
        replaced: Pairs of datasets of the same name and type that differ: the first's, the second's.
    """

    removed: tuple[str, ...]
    added: tuple[str, ...]
    replaced: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        return bool(self.removed or self.added or self.replaced)

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "removed": list(self.removed), "added": list(self.added),
            "replaced": [{"old": old, "new": new} for old, new in self.replaced],
        }  # fmt: skip


def difference(old: list[Found], new: list[Found]) -> Difference:
    """Compare the datasets of two collections."""
    before, after = _keyed(old), _keyed(new)
    gone, come = before.keys() - after.keys(), after.keys() - before.keys()
    both = sorted(key for key in before.keys() & after.keys() if before[key] != after[key])
    return Difference(
        tuple(before[key] for key in sorted(gone)),
        tuple(after[key] for key in sorted(come)),
        tuple((before[key], after[key]) for key in both),
    )


def _keyed(found: list[Found]) -> dict[tuple[str, str, str], str]:
    keyed: dict[tuple[str, str, str], str] = {}
    for each in found:
        member = Member(each.dataset, each.begin, each.end)
        keyed[each.dataset.name, each.dataset.path, member.validity] = str(member)
    return keyed


def _mainline(repository: Repository, name: str) -> Iterator[tuple[pygit2.Commit, bool]]:
    """Yield the commits of main, newest first, and whether each changed a collection."""
    path = path_of(name)
    commits = list(repository.commits("main"))
    files = [_blob(commit, path) for commit in commits]
    for commit, now, before in zip(commits, files, [*files[1:], None], strict=True):
        yield commit, now != before


def _blob(commit: pygit2.Commit, path: str) -> pygit2.Oid | None:
    tree = commit.tree
    return tree[path].id if path in tree else None


def _entry(commit: pygit2.Commit, name: str) -> Entry:
    there = Catalogue(commit.tree).get(name)
    subject = commit.message.partition("\n")[0]
    return Entry(str(commit.id), commit_time(commit), commit.author.name, subject, "" if there is None else there.kind)


def commit_time(commit: pygit2.Commit) -> datetime:
    """Return when a commit of main was made (UTC)."""
    return datetime.fromtimestamp(commit.committer.time, UTC)
