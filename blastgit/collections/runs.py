"""RUN collections: the commits of datasets state their membership (`Run:`), so that it never changes.

A run holds the revisions *born* into it, and those *attested* by it: revisions that it reproduced, with the commit of
the reproduction as evidence. What a run holds of one transient is read from the transient's branch. All that it holds
is found by reading the commit of every tag and of every reproduction, about 20 µs each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

import pygit2

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.datasets import Dataset
from blastgit.collections.model import Run
from blastgit.collections.names import is_name, owner_of
from blastgit.collections.policy import CollectionPolicy
from blastgit.errors import DamagedData, Denied, InvalidInput, InvalidName
from blastgit.naming.names import is_personal, transient_of, user_of
from blastgit.naming.refs import BRANCHES, TAGS
from blastgit.naming.trailers import Trailer
from blastgit.plumbing.objects import commit_of, undamaged
from blastgit.plumbing.process import GitError, run_git
from blastgit.repository.base import Repository
from blastgit.repository.commits import Marker
from blastgit.repository.history import History
from blastgit.repository.policy import current_identity


class Held(NamedTuple):
    """A revision that a run holds.

    Attributes:
        dataset: The revision.
        marker: The commit that states it: the revision's own, or that of a reproduction.
    """

    dataset: Dataset
    marker: Marker

    @property
    def run(self) -> str:
        """The run."""
        return self.marker.trailers[Trailer.RUN]

    @property
    def is_born(self) -> bool:
        """Whether it was born into the run; else the run reproduced it."""
        return self.marker.number is not None


def held_in(repository: Repository, run: str, name: str, until: datetime | None = None) -> Held | None:
    """Return the revision that a run holds of one transient; a personal line of work goes before the official one.

    Args:
        repository: The data repo.
        run: The run.
        name: The transient.
        until: Only revisions exported by then; None for all.
    """
    owner = owner_of(run)
    history = History(repository)
    for line in [f"u/{owner}/{name}", name] if owner else [name]:
        found = [each for each in _held_of(history, run, line) if _is_within(each, until)]
        sound = [each for each in found if _is_tagged(history, each)]
        if sound:
            return max(sound, key=_rank)
    return None


def is_held_by(repository: Repository, run: str, dataset: Dataset) -> bool:
    """Whether a run holds a revision, whatever else it holds of that transient."""
    held = _held_of(History(repository), run, dataset.line)
    return any(each.dataset == dataset.revision for each in held)


def all_held(repository: Repository) -> Iterator[Held]:
    """Yield every revision held by any run: first those born into one, sorted by tag.

    Commits that git cannot read are skipped; `verify` reports them.
    """
    for ref, oid in _peeled_tags(repository):
        line, _, number = ref.removeprefix(TAGS).rpartition("/")
        if number.isdecimal() and not line.startswith("release/"):
            yield from _read(repository, line, oid)
    for line, oid in _reproductions(repository):
        yield from _read(repository, line, oid)


def holdings(repository: Repository, run: str, until: datetime | None = None) -> list[Held]:
    """Return the revisions that a run holds, one for each transient, sorted by name.

    Args:
        repository: The data repo.
        run: The run.
        until: Only revisions exported by then; None for all.
    """
    return first_of(each for each in all_held(repository) if each.run == run and _is_within(each, until))


def first_of(held: Iterable[Held]) -> list[Held]:
    """Return the revision that counts for each transient of one run, sorted by name."""
    found: dict[str, Held] = {}
    for each in held:
        name = each.dataset.name
        found[name] = max(found.get(name, each), each, key=_rank)
    return [found[name] for name in sorted(found)]


def _held_of(history: History, run: str, line: str) -> Iterator[Held]:
    """Yield the revisions of one line that a run holds, newest first."""
    for marker in history.all_markers(line):
        held = _held(line, marker) if marker.trailers.get(Trailer.RUN) == run else None
        if held is not None:
            yield held


def _held(line: str, marker: Marker) -> Held | None:
    number = marker.reproduces if marker.number is None else marker.number
    return None if number is None else Held(Dataset(line, number), marker)


def _rank(held: Held) -> tuple[bool, bool, int]:
    """Return the sort key by which one revision of a transient wins: personal, then born, then later ones."""
    return held.dataset.is_personal, held.is_born, held.dataset.number


def _is_within(held: Held, until: datetime | None) -> bool:
    return until is None or held.marker.time <= until


def _is_tagged(history: History, held: Held) -> bool:
    tagged = history.tagged(held.dataset.line, held.dataset.number)
    return tagged is not None and (not held.is_born or tagged.id == held.marker.id)


def _read(repository: Repository, line: str, oid: str) -> Iterator[Held]:
    commit = None
    with suppress(DamagedData), undamaged(line):
        commit = repository.git.get(oid)
    if isinstance(commit, pygit2.Commit) and b"\nRun: " in commit.raw_message:
        marker = Marker(commit)
        held = _held(marker.line or line, marker)
        if held is not None and Trailer.RUN in marker.trailers:
            yield held


def _peeled_tags(repository: Repository) -> Iterator[tuple[str, str]]:
    """Yield each tag with its commit, which packed refs list so that the tag object need not be read."""
    tags = repository.references(TAGS)
    if not tags:
        return
    try:
        listed = run_git(repository.path, "show-ref", "--tags", "--dereference").decode()
    except GitError as error:
        if error.stderr:  # else git found no tags
            yield from _readable_tags(repository, tags)
        return
    for row in listed.splitlines():
        if row.endswith("^{}"):
            oid, _, ref = row.removesuffix("^{}").partition(" ")
            yield ref, oid


def _readable_tags(repository: Repository, tags: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the tags that git can read, one by one: `show-ref` stops at the first that it cannot."""
    for tag in sorted(tags):
        with suppress(DamagedData):
            reference = repository.reference(tag)
            if reference is not None:
                yield tag, str(commit_of(reference).id)


def _reproductions(repository: Repository) -> Iterator[tuple[str, str]]:
    """Yield the line and commit of every reproduction."""
    branches = repository.references(BRANCHES)
    if not repository.is_here and branches:
        _ = next(repository.commits(branches[0].removeprefix(BRANCHES)), None)  # fetches those of all branches
    words = "log", f"--grep=^{Trailer.REPRODUCES}: ", "--format=%S %H"
    try:
        listed = run_git(repository.path, *words, "--branches")
    except GitError:
        yield from _readable_reproductions(repository, branches)
        return
    for row in listed.decode("utf-8", "replace").splitlines():
        branch, _, oid = row.rpartition(" ")
        yield transient_of(branch.removeprefix(BRANCHES)), oid


def _readable_reproductions(repository: Repository, branches: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the same by walking each branch, down to the first commit that git cannot read."""
    for branch in branches:
        line = branch.removeprefix(BRANCHES)
        with suppress(DamagedData):
            for commit in repository.commits(line):
                if Marker(commit).reproduces is not None:
                    yield transient_of(line), str(commit.id)


def read_at(repository: Repository, run: str) -> str:
    """Return the commit of main whose collections a run reads: the one stored in its RUN, else the present one."""
    there = begun(repository, run)
    return there.main if there is not None and there.main else str(repository.main.id)


def begun(repository: Repository, run: str) -> Run | None:
    """Return the RUN of this name on main; None if the run was never started and only its commits name it."""
    there = Catalogue(repository.main.tree).get(run) if is_name(run) else None
    return there if isinstance(there, Run) else None


def name_fault(policy: CollectionPolicy, run: str) -> str:
    """Return why the table of names does not allow the name of a run; "" if it does."""
    try:
        policy.names.check(run, Run.kind)
    except InvalidName as error:
        return str(error)
    return ""


def check_run_name(repository: Repository, run: str) -> None:
    """Check that a run may have this name.

    Raises:
        InvalidName: The table of names does not allow it; the error lists the patterns.
        InvalidInput: Main has a collection of another type with that name.
    """
    fault = name_fault(CollectionPolicy.of(repository.settings), run)
    if fault:
        raise InvalidName(f"{fault}. A run is a RUN collection: `blastgit collection names` has the table")
    there = Catalogue(repository.main.tree).get(run)
    if there is not None and not isinstance(there, Run):
        raise InvalidInput(f"{run} is a {there.kind} collection, and data are born into a RUN: name another")


def check_membership(repository: Repository, run: str, line: str, before: pygit2.Commit | None, number: int) -> None:
    """Check that a run may hold a revision, born into it or reproduced by it.

    A run with a file on main was started on purpose and may hold only one revision of each transient. Any other may
    hold several, so that a pipeline is never stopped by the name of its run; `_rank` decides which of them counts.

    Args:
        repository: The data repo.
        run: The run.
        line: The transient, or `u/USER/TRANSIENT`.
        before: The commit that the revision or reproduction will follow.
        number: The revision.

    Raises:
        InvalidName: The table of names does not allow the name.
        InvalidInput: It is not a RUN, or already holds another revision of this transient.
        Denied: It belongs to somebody else, or the revision is personal and the run is not.
    """
    check_run_name(repository, run)
    owner = owner_of(run)
    if owner and repository.is_here and owner != current_identity():
        raise Denied(f"the run {run} belongs to {owner}, but {current_identity()} is recording")
    if is_personal(line) and owner != user_of(line):
        raise Denied(
            f"{line} is personal work, and {run} is a run for all: name one below u/{user_of(line)}/, or promote first"
        )
    if begun(repository, run) is None:
        return
    while before is not None:
        marker = Marker(before)
        if is_personal(line) and marker.line != line:
            return
        held = _held(line, marker) if marker.trailers.get(Trailer.RUN) == run else None
        if held is not None and held.dataset.number != number:
            raise InvalidInput(
                f"the run {run} holds {held.dataset} already, and a RUN holds one revision of each transient: "
                "record this one in another run"
            )
        before = repository.commit_before(line, before)


def check_configuration(repository: Repository, run: str, stated: str) -> None:
    """Check that a commit states the configuration that its run was started with, if main has that run.

    Raises:
        InvalidInput: It states another.
    """
    there = begun(repository, run)
    if there is not None and stated != there.config:
        found, config = stated or "nothing", there.config or "none"
        raise InvalidInput(f"its trailer {Trailer.CONFIG} is {found}, but {run} was started with {config}")
