"""Check a push against the ledger: once a tag was published, no other may have its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pygit2

from blastgit.errors import Denied
from blastgit.guard.quarantine import Quarantine
from blastgit.naming.names import transient_of
from blastgit.naming.refs import MAIN, TAGS
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.objects import find_ref
from blastgit.plumbing.opening import open_repository
from blastgit.repository.commits import Marker, Snapshot
from blastgit.repository.ledger.book import Book, chain_of
from blastgit.repository.policy import current_identity
from blastgit.repository.tombstones import FOLDER, check_returning


def check_pushed(ledger: Book, ref: str, new: str) -> None:
    """Raise unless a tag is new, or is the one that was published.

    Raises:
        Denied: Another object was published under that name.
    """
    published = next((entry for entry in ledger.chain(chain_of(ref)) if entry.ref == ref), None)
    if published is not None and published.object != new:
        raise Denied(
            f"{published} was published as the tag object {published.object:.10}, and its number or version is never "
            "given to anything else: push that one, or record a new revision"
        )


def check_no_return(repo: Quarantine, line: str, marker: Marker) -> None:
    """Raise if a pushed marker brings back withdrawn files, unless it says so and an admin pushes it.

    Raises:
        Denied: It brings back withdrawn files.
    """
    if repo.ref(MAIN) is None or FOLDER not in repo.main.tree:
        return  # a first push brings the whole history of another repo, including what was withdrawn there
    document = Snapshot(repo.git, line, marker.commit).dr
    sha256 = {path: digest.removeprefix("sha256:") for path, digest in document.files.items()}
    found = list(check_returning(repo, transient_of(line), sha256).values())
    if not found:
        return
    if marker.trailers.get(Trailer.EVEN_WITHDRAWN) is None:
        raise Denied(f"{found[0]}: mend what makes it, or have an admin record it (`blastgit record --even-withdrawn`)")
    repo.policy.check("admin", current_identity(), line)


def note_pushed(repo: Path, pushed: Mapping[str, str | None]) -> None:
    """Enter the tags of a push in the ledger once git has moved its refs, except those it did not move.

    Args:
        repo: The data repo.
        pushed: The new value of each pushed ref.
    """
    tags = {ref: new for ref, new in pushed.items() if new is not None and ref.startswith(TAGS)}
    if tags:
        git = open_repository(repo)
        there = {ref: new for ref, new in tags.items() if _target(git, ref) == new}
        Book(repo).add(dict(sorted(there.items(), key=lambda item: _order(item[0]))))


def _target(git: pygit2.Repository, ref: str) -> str | None:
    reference = find_ref(git, ref)
    return None if reference is None else str(reference.target)


def _order(ref: str) -> tuple[str, int, str]:
    chain, _, last = ref.rpartition("/")
    return chain, int(last) if last.isdecimal() else -1, last
