"""RUN collections: their datasets are those whose commits say so (`Run:`), so that membership never changes.

Whether one transient has something of a run is read from its own branch. All that a run holds is found by reading the
commit of every tag, about 20 µs each.
"""

from __future__ import annotations

from collections.abc import Iterator

import pygit2

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.datasets import Dataset
from blastgit.collections.model import Run
from blastgit.collections.names import is_name, owner_of
from blastgit.errors import Denied, InvalidInput
from blastgit.naming.names import is_personal, user_of
from blastgit.naming.refs import TAGS
from blastgit.naming.trailers import Trailer, read_trailers
from blastgit.plumbing.process import GitError, run_git
from blastgit.repository.base import Repository
from blastgit.repository.commits import Marker
from blastgit.repository.history import History
from blastgit.repository.policy import current_identity


def born_in(repository: Repository, run: str, name: str) -> Dataset | None:
    """Return what a run holds of one transient; of the user's own line of work before the official one.

    Of data that were recorded before a run was kept from holding two revisions of a transient, the latest counts.
    """
    owner = owner_of(run)
    history = History(repository)
    for line in [f"u/{owner}/{name}", name] if owner else [name]:
        for marker in history.all_markers(line):
            if marker.number is not None and marker.trailers.get(Trailer.RUN) == run:
                tagged = history.tagged(line, marker.number)
                if tagged is not None and tagged.id == marker.id:
                    return Dataset(line, marker.number)
    return None


def all_born(repository: Repository) -> Iterator[tuple[Dataset, dict[str, str]]]:
    """Yield every revision that was born into a run, with the trailers of its commit, sorted by tag."""
    for row in _peeled_tags(repository):
        oid, _, ref = row.partition(" ")
        line, _, number = ref.removeprefix(TAGS).removesuffix("^{}").rpartition("/")
        commit = repository.git.get(oid) if number.isdecimal() and not line.startswith("release/") else None
        if isinstance(commit, pygit2.Commit) and b"\nRun: " in commit.raw_message:
            trailers = read_trailers(commit.message)
            if Trailer.RUN in trailers and trailers.get(Trailer.REVISION) == number:
                yield Dataset(line, int(number)), trailers


def _peeled_tags(repository: Repository) -> list[str]:
    """Return what each tag names, which packed refs tell without looking at the tag."""
    if not repository.references(TAGS):
        return []
    try:
        listed = run_git(repository.path, "show-ref", "--tags", "--dereference").decode()
    except GitError:
        return []  # there are no tags
    return [row for row in listed.splitlines() if row.endswith("^{}")]


def born(repository: Repository, run: str) -> list[tuple[Dataset, dict[str, str]]]:
    """Return all that a run holds: one revision of each transient, with the trailers of its commit, sorted by name."""
    found: dict[str, tuple[Dataset, dict[str, str]]] = {}
    for dataset, trailers in all_born(repository):
        if trailers[Trailer.RUN] == run and _comes_before(dataset, found.get(dataset.name, (None,))[0]):
            found[dataset.name] = dataset, trailers
    return [found[name] for name in sorted(found)]


def _comes_before(one: Dataset, other: Dataset | None) -> bool:
    return other is None or (one.is_personal, one.number) > (other.is_personal, other.number)


def read_at(repository: Repository, run: str) -> str:
    """Return the commit of main whose collections a run reads: the one that its RUN has stored, or else the present."""
    there = Catalogue(repository.main.tree).get(run) if is_name(run) else None
    return there.main if isinstance(there, Run) and there.main else str(repository.main.id)


def check_birth(repository: Repository, run: str, line: str, before: pygit2.Commit | None) -> None:
    """Check that a new revision may be born into a run.

    A run that main has a file of was begun on purpose, and is kept from holding two revisions of a transient. Any other
    word names a run as well, so that a pipeline is never stopped by one; of two revisions in it the later counts.

    Args:
        repository: The data repo.
        run: The run.
        line: The transient, or `u/USER/TRANSIENT`.
        before: The commit that the revision shall follow.

    Raises:
        InvalidInput: It is no RUN, or it holds a revision of this transient already.
        Denied: It belongs to somebody else, or the revision is of somebody's own line and the run is not.
    """
    owner = owner_of(run)
    if owner and repository.is_here and owner != current_identity():
        raise Denied(f"the run {run} belongs to {owner}, and {current_identity()} records")
    if is_personal(line) and owner != user_of(line):
        raise Denied(
            f"{line} is personal work, and {run} is a run for all: name one below u/{user_of(line)}/, or promote first"
        )
    there = Catalogue(repository.main.tree).get(run) if is_name(run) else None
    if there is None:
        return
    if not isinstance(there, Run):
        raise InvalidInput(f"{run} is a {there.kind} collection, and data are born into a RUN: name another")
    while before is not None:
        marker = Marker(before)
        if is_personal(line) and marker.line != line:
            return
        if marker.number is not None and marker.trailers.get(Trailer.RUN) == run:
            raise InvalidInput(
                f"the run {run} holds {line}@{marker.number} already, and a RUN holds one revision of each transient: "
                "record this one in another run"
            )
        before = repository.commit_before(line, before)
