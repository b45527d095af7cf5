"""The ledger's part in a push: a tag that was published under a name before is the only one that may bear it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pygit2

from blastgit.errors import Denied
from blastgit.naming.refs import TAGS
from blastgit.plumbing.opening import open_repository
from blastgit.repository.ledger.book import Book, chain_of


def check_pushed(ledger: Book, ref: str, new: str) -> None:
    """Raise unless a tag is new, or comes back as it was published.

    Raises:
        Denied: Another object was published under that name.
    """
    published = next((entry for entry in ledger.chain(chain_of(ref)) if entry.ref == ref), None)
    if published is not None and published.object != new:
        raise Denied(
            f"{published} was published as the tag object {published.object:.10}, and its number or version is never "
            "given to anything else: push that one, or record a new revision"
        )


def note_pushed(repo: Path, pushed: Mapping[str, str | None]) -> None:
    """Enter the tags of a push once git has moved its refs; those that it did not move are not entered.

    Args:
        repo: The data repo.
        pushed: What each ref was to be.
    """
    tags = {ref: new for ref, new in pushed.items() if new is not None and ref.startswith(TAGS)}
    if tags:
        git = open_repository(repo)
        there = {ref: new for ref, new in tags.items() if _target(git, ref) == new}
        Book(repo).add(dict(sorted(there.items(), key=lambda item: _order(item[0]))))


def _target(git: pygit2.Repository, ref: str) -> str | None:
    reference = git.references.get(ref)
    return None if reference is None else str(reference.target)


def _order(ref: str) -> tuple[str, int, str]:
    chain, _, last = ref.rpartition("/")
    return chain, int(last) if last.isdecimal() else -1, last
