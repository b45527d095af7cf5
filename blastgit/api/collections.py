"""`repo.collections`: named groups of datasets. Every change is a commit on main, with its author and reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TypeVar

from blastgit.collections.catalogue import Catalogue
from blastgit.collections.change import Changed, Reason, change, with_members, without
from blastgit.collections.datasets import Dataset, Member, certified, utc
from blastgit.collections.existence import named
from blastgit.collections.model import KINDS, Calibration, Chained, Collection, Run, Tagged
from blastgit.collections.policy import CollectionPolicy
from blastgit.collections.resolve import Found, Resolver
from blastgit.collections.rules import check_all
from blastgit.collections.run_list import RunSummary, run_list
from blastgit.collections.screen import decertified, screened
from blastgit.collections.shown import Shown, Summary, show, summary
from blastgit.collections.start import Start, start
from blastgit.collections.states import Difference, Entry, commit_at, difference, log, state
from blastgit.errors import InvalidInput, NotFound, UsageError
from blastgit.repository.base import Repository
from blastgit.repository.configuration import configuration
from blastgit.repository.question import Asked

Time = datetime | str | None


class Collections(Asked):
    """The collections of a data repo."""

    def __init__(self, repository: Repository, when: str | None = None) -> None:
        """Open the collections of a repo.

        Args:
            repository: The data repo.
            when: A commit of main, a date or a date-time: read the collections as of then; None for now.
        """
        self._repository = repository
        self._when = when

    def at(self, when: str) -> Collections:
        """Return the collections as of a time, for reading only: changes always start from the present state.

        Args:
            when: A commit of main, a date or a date-time; or a RUN, for the state it recorded when it began.
        """
        return Collections(self._repository, when)

    @property
    def policy(self) -> CollectionPolicy:
        """The rules for collections in the settings: names, types, protection."""
        return CollectionPolicy.of(self._repository.settings)

    def resolve(self, collection: str, name: str, type: str | None = None, time: Time = None) -> Found:  # noqa: A002
        """Return the dataset that a collection of any type has for a transient.

        Args:
            collection: The collection.
            name: The transient.
            type: A file, as `cutout_cdn/DES/DES_z.fits` or `sed_output/<name>_global_chain.npz`; None for the revision.
            time: The instant for which a calibration is wanted, with its zone.

        Raises:
            NotFound: The collection does not exist, or it has nothing of that name and type.
            UsageError: The dataset depends on validity, and no time is given.
            InvalidInput: The time has no zone.
        """
        return self._resolver().resolve(collection, name, type, utc(time))

    def members(self, collection: str, time: Time = None) -> Sequence[Found]:
        """Return all members of a collection; see `Resolver.members`."""
        return self._resolver().members(collection, utc(time))

    def get(self, name: str) -> Collection:
        """Return a collection as it is on main.

        Raises:
            NotFound: The collection does not exist.
        """
        return self._catalogue()[name]

    def list(self, pattern: str = "*", kind: str | None = None) -> Sequence[Summary]:
        """Return the collections whose name matches a shell pattern, sorted by name."""
        catalogue = self._catalogue()
        found = [summary(name, catalogue[name]) for name in catalogue if fnmatchcase(name, pattern)]
        return [each for each in found if kind in (None, each.kind)]

    def runs(self, pattern: str = "*") -> Sequence[RunSummary]:
        """Return the runs whose name matches a shell pattern, even if only commits name them; reads every tag."""
        return run_list(self._repository, pattern)

    def configuration(self, run: str) -> bytes:
        """Return the configuration that a run was started with, byte for byte.

        Raises:
            NotFound: No such run, or it was started without a configuration.
        """
        collection = self._catalogue()[run]
        if not isinstance(collection, Run) or not collection.config:
            raise NotFound(f"{run} was begun without a configuration: `blastgit run start --config FILE` keeps one")
        return configuration(self._repository, collection.config)

    def show(self, name: str) -> Shown:
        """Return a collection with its contents: the tree of a chain, or the members.

        Raises:
            NotFound: The collection does not exist.
        """
        return show(self._repository, self._catalogue(), self.policy, name)

    def log(self, name: str) -> Sequence[Entry]:
        """Return the changes of a collection, newest first: when, who, what and why.

        Raises:
            NotFound: There never was such a collection.
        """
        return log(self._repository, name)

    def diff(self, old: str, new: str, time: Time = None) -> Difference:
        """Compare the members of two collections, or of two states of one (`defaults@2026-05-27`, `defaults`).

        Raises:
            NotFound: The collection or state does not exist.
        """
        lists = []
        for text in (old, new):
            name, catalogue = state(self._repository, text)
            lists.append(Resolver(self._repository, catalogue).members(name, utc(time)))
        return difference(*lists)

    def check(self) -> Sequence[tuple[str, str]]:
        """Check every collection; return each that breaks a rule, with a description of the rule."""
        return list(check_all(self._repository, self.policy, self._catalogue()))

    def create(self, name: str, kind: str, reason: Reason, about: str = "") -> Changed:
        """Make an empty collection; `chain` makes a CHAINED one, with its children.

        Args:
            name: Its name.
            kind: RUN, TAGGED or CALIBRATION.
            reason: Why, in a line; or an `Intent`.
            about: What it is for, in a line.

        Raises:
            InvalidName: The settings do not allow such a name, or not for this type.
            InvalidInput: The collection exists.
            Denied: This user may not make it, or the name is protected.
        """
        if kind not in KINDS or kind == Chained.kind:
            raise UsageError(f"a collection is made as RUN, TAGGED or CALIBRATION, not {kind}; `chain` makes chains")

        def alter(before: Catalogue) -> dict[str, Collection | None]:
            if before.get(name) is not None:
                raise InvalidInput(f"the collection {name} exists already, as {before[name].kind}")
            made = KINDS[kind](about=about)
            return {name: replace(made, main=str(self._repository.main.id)) if isinstance(made, Run) else made}

        return change(self._repository, f"Make {name}, {kind}", alter, reason)

    def add(self, name: str, datasets: Iterable[str], reason: Reason) -> Changed:
        """Add datasets to a TAGGED collection; those it already has stay.

        Args:
            name: The collection.
            datasets: `2026dgt@1`, or one file of it, `2026dgt@1:cutout_cdn/DES/DES_z.fits`.
            reason: Why, in a line; or an `Intent`.

        Raises:
            InvalidInput: A transient would have two datasets of one type; nothing was added.
            NotFound: The collection or dataset does not exist.
            Denied: This user may not change the collection.
        """
        members = [Member(dataset) for dataset in self._named(datasets)]

        def alter(before: Catalogue) -> dict[str, Collection | None]:
            return {name: with_members(_typed(before, name, Tagged, "add"), members)}

        return change(self._repository, f"Add {_count(members)} to {name}", alter, reason)

    def remove(self, name: str, datasets: Iterable[str], reason: Reason) -> Changed:
        """Remove datasets from a TAGGED collection; they stay in all others. See `add`.

        Raises:
            NotFound: The collection does not hold one of them; nothing was removed.
        """
        leaving = [Member(dataset) for dataset in self._named(datasets)]

        def alter(before: Catalogue) -> dict[str, Collection | None]:
            tagged = _typed(before, name, Tagged, "remove")
            return {name: without(name, tagged, map(tagged.line, leaving))}

        return change(self._repository, f"Remove {_count(leaving)} from {name}", alter, reason)

    def chain(
        self,
        name: str,
        children: Sequence[str],
        reason: Reason,
        about: str | None = None,
    ) -> Changed:
        """Make a CHAINED collection, or give it other children; with one child it is a pointer with a lasting name.

        Args:
            name: The chain.
            children: Collections, in the order in which they are searched.
            reason: Why, in a line; or an `Intent`.
            about: What it is for; None leaves it unchanged.

        Raises:
            NotFound: A child does not exist.
            InvalidInput: The chain would contain itself, or `name` has another type.
            Denied: The chain may not have such a child, or this user may not change it.
        """

        def alter(before: Catalogue) -> dict[str, Collection | None]:
            old = before.get(name) or Chained()
            if not isinstance(old, Chained):
                raise InvalidInput(f"{name} is {old.kind}, not a chain: choose another name")
            return {name: replace(old, children=tuple(children), about=old.about if about is None else about)}

        verb = "Point" if len(children) == 1 else "Chain"
        return change(self._repository, f"{verb} {name} to {', '.join(children)[:200]}", alter, reason)

    def certify(
        self,
        name: str,
        datasets: Iterable[str],
        reason: Reason,
        begin: Time,
        end: Time,
    ) -> Changed:
        """Add datasets to a CALIBRATION collection, valid from `begin` until just before `end` (UTC).

        Args:
            name: The collection.
            datasets: The datasets to certify.
            begin: The first instant at which they are valid, with its zone; None for no limit.
            end: The first instant at which they no longer are; None for no limit.
            reason: Why, in a line; or an `Intent`.

        Raises:
            InvalidInput: The times have no zone or are reversed, or validities would overlap; nothing was certified.
            NotFound: The collection or dataset does not exist.
            Denied: This user may not change the collection.
        """
        members = [certified(dataset, begin, end) for dataset in self._named(datasets)]

        def alter(before: Catalogue) -> dict[str, Collection | None]:
            return {name: with_members(_typed(before, name, Calibration, "certify"), members)}

        return change(self._repository, f"Certify {_count(members)} in {name}", alter, reason)

    def decertify(
        self,
        name: str,
        datasets: Iterable[str],
        reason: Reason,
        begin: Time = None,
        end: Time = None,
    ) -> Changed:
        """Remove the validity of datasets, entirely or between two instants; the rest of it stays.

        Raises:
            NotFound: The collection does not hold one of them.
            InvalidInput: The times have no zone, or are reversed.
        """
        spans = [certified(dataset, begin, end) for dataset in self._named(datasets)]

        def alter(before: Catalogue) -> dict[str, Collection | None]:
            calibration = _typed(before, name, Calibration, "decertify")
            for span in spans:
                calibration = decertified(name, calibration, span)
            return {name: calibration}

        return change(self._repository, f"Decertify {_count(spans)} in {name}", alter, reason)

    def validate(self, name: str, reason: Reason) -> Changed:
        """Mark a RUN as validated, which admits it to the chain of reference catalogues.

        Raises:
            NotFound: The collection does not exist.
            InvalidInput: It is not a RUN.
        """

        def alter(before: Catalogue) -> dict[str, Collection | None]:
            return {name: replace(_typed(before, name, Run, "validate"), validated=str(reason))}

        return change(self._repository, f"Mark {name} as validated", alter, reason)

    def filter(self, name: str, reason: Reason) -> Changed:
        """Hide superseded data: replace the chain's own runs by a TAGGED collection `NAME/filtered`.

        It holds the first dataset of each name and type in these runs, in the order of the chain.

        Raises:
            NotFound: The chain does not exist, or it has no runs of its own.
        """

        def alter(before: Catalogue) -> dict[str, Collection | None]:
            return screened(self._repository, before, name)

        return change(self._repository, f"Screen the runs of {name}", alter, reason)

    def delete(self, name: str, reason: Reason) -> Changed:
        """Delete a collection, not its datasets; its history stays on main.

        Raises:
            NotFound: The collection does not exist.
            Denied: A chain refers to it, it is a RUN that has data, or such collections are permanent.
        """

        def alter(before: Catalogue) -> dict[str, Collection | None]:
            _ = before[name]
            return {name: None}

        return change(self._repository, f"Delete {name}", alter, reason)

    def start_run(self, wanted: Start, reason: Reason) -> Changed:
        """Start a processing run: make its RUN, and the umbrella chain of the RUN and its inputs.

        Raises:
            InvalidName: The parts do not make a valid name.
            InvalidInput: The RUN exists.
        """
        return start(self._repository, self.policy, wanted, reason)

    def _named(self, texts: Iterable[str]) -> Sequence[Dataset]:
        datasets = named(self._repository, texts)
        if not datasets:
            raise UsageError("which datasets? Name at least one, as 2026dgt@1 or 2026dgt@1:PATH")
        return datasets

    def _catalogue(self) -> Catalogue:
        commit = self._repository.main if self._when is None else commit_at(self._repository, self._when)
        return Catalogue(commit.tree)

    def _resolver(self) -> Resolver:
        return Resolver(self._repository, self._catalogue())


_T = TypeVar("_T", bound=Collection)


def _typed(before: Catalogue, name: str, type_: type[_T], verb: str) -> _T:
    collection = before[name]
    if isinstance(collection, type_):
        return collection
    if isinstance(collection, Run):
        raise InvalidInput(f"{name} is a RUN, and never changes: it holds what is recorded with `--run {name}`")
    hint = {"TAGGED": "add and remove", "CALIBRATION": "certify and decertify", "CHAINED": "chain"}[collection.kind]
    raise InvalidInput(f"{name} is {collection.kind}: {verb} is for {type_.kind}; change it with {hint}")


def _count(members: Sequence[Member]) -> str:
    return str(members[0].dataset) if len(members) == 1 else f"{len(members):,} datasets"
