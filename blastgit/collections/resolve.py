"""Resolve a collection and a name to a dataset, for all four types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from blastgit.annotations.subjects import instant_text
from blastgit.collections.catalogue import Catalogue
from blastgit.collections.datasets import Dataset
from blastgit.collections.existence import has_file
from blastgit.collections.model import Calibration, Chained, Collection, Listed, Run
from blastgit.collections.runs import Held, held_in, holdings
from blastgit.errors import NotFound, RepoError, UsageError
from blastgit.naming.names import check_line
from blastgit.naming.nearest import did_you_mean
from blastgit.repository.base import Repository

_NAME = "<name>"


class Found(NamedTuple):
    """A dataset, and how a collection led to it.

    Attributes:
        dataset: The dataset.
        via: The collections that led to it, from the one asked to the one that holds it.
        begin: When its validity begins, if a CALIBRATION limits it.
        end: When its validity ends.
        is_certified: Whether a CALIBRATION holds it, perhaps without time limits.
        attested: If a RUN holds it by a reproduction, the commit of that; "" otherwise.
    """

    dataset: Dataset
    via: tuple[str, ...]
    begin: datetime | None = None
    end: datetime | None = None
    is_certified: bool = False
    attested: str = ""

    def __str__(self) -> str:
        return str(self.dataset)

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        times = {"begin": self.begin, "end": self.end}
        return {
            "dataset": str(self.dataset), "transient": self.dataset.name, "revision": self.dataset.number,
            "path": self.dataset.path or None, "tag": self.dataset.tag, "via": list(self.via),
            **{key: None if time is None else instant_text(time) for key, time in times.items()},
            "attested": self.attested or None,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Asked:
    """What to look for in each collection.

    Attributes:
        name: The transient; "" for all.
        time: The instant at which calibrations must be valid; None for all of them.
    """

    name: str = ""
    time: datetime | None = None


class Resolver:
    """Finds datasets in the collections of one state of main."""

    def __init__(self, repository: Repository, catalogue: Catalogue, until: datetime | None = None) -> None:
        """Open a catalogue; the datasets of a RUN are read from the commits of the data repo.

        Args:
            repository: The data repo.
            catalogue: The collections.
            until: From RUNs, only datasets exported by then; None for all.
        """
        self._repository = repository
        self._catalogue = catalogue
        self._until = until

    def resolve(self, collection: str, name: str, type_: str | None, time: datetime | None) -> Found:
        """Return the dataset that a collection has for a name.

        Args:
            collection: The collection.
            name: The transient.
            type_: The file, with `<name>` for the transient; None for the whole revision.
            time: The instant at which a calibration must be valid, in UTC.

        Raises:
            NotFound: The collection does not exist, or has nothing of that name and type.
            UsageError: The dataset has a validity, and no time is given.
        """
        path = (type_ or "").replace(_NAME, check_line(name))
        found = self._first(self._raw(collection, _Asked(name, time), ()), path)
        if found is None:
            what = f"{path} of {name}" if path else f"revision of {name}"
            when = f" that is valid at {instant_text(time)}" if time is not None else ""
            hint = did_you_mean(
                name,
                {each.dataset.name for each in self.members(collection, time)} - {name},
                f"`blastgit collection show {collection}` tells what it has",
            )
            raise NotFound(f"{collection} has no {what}{when}{hint}")
        check_time(found, time)
        return found

    def members(self, collection: str, time: datetime | None) -> list[Found]:
        """Return the first dataset of each name and type in a collection, sorted. For a RUN, reads every tag.

        Args:
            collection: The collection.
            time: The instant at which calibrations must be valid; None for all of them, each with its validity.

        Raises:
            NotFound: The collection does not exist.
        """
        return sorted(self._all(collection, _Asked(time=time), ()), key=lambda each: each.dataset)

    def members_of(self, collection: str, name: str, time: datetime | None) -> list[Found]:
        """Return the datasets of one transient in a collection; see `members`."""
        return sorted(self._all(collection, _Asked(name, time), ()), key=lambda each: each.dataset)

    def _first(self, given: Iterable[Found], path: str) -> Found | None:
        """Return the first that is or contains the file; a file certified by itself wins over a whole revision."""
        best: Found | None = None
        for found in given:
            if found.dataset.path == path and (best is None or found.is_certified):
                return found
            if best is None and not found.dataset.path and has_file(self._repository, found.dataset, path):
                best = found
        if best is None:
            return None
        return best._replace(dataset=Dataset(best.dataset.line, best.dataset.number, path))

    def _raw(self, collection: str, asked: _Asked, above: tuple[str, ...]) -> Iterator[Found]:
        """Yield the datasets of all leaves of a chain, in search order."""
        via = self._enter(collection, above)
        there = self._catalogue.find(collection)
        if isinstance(there, Chained):
            for child in there.children:
                yield from self._raw(child, asked, via)
        else:
            yield from self._leaf(there, asked, via)

    def _all(self, collection: str, asked: _Asked, above: tuple[str, ...]) -> list[Found]:
        via = self._enter(collection, above)
        there = self._catalogue.find(collection)
        if isinstance(there, Chained):
            return _first_of_each(self._all(child, asked, via) for child in there.children)
        return self._leaf(there, asked, via)

    def _leaf(self, there: Collection | None, asked: _Asked, via: tuple[str, ...]) -> list[Found]:
        """Return the datasets of a collection that is not a chain; a run need not have been started on main."""
        if not isinstance(there, Listed):
            held = self._held(via[-1], asked, is_begun=isinstance(there, Run))
            return [Found(each.dataset, via, attested="" if each.is_born else each.marker.id) for each in held]
        members = there.of(asked.name) if asked.name else there.members()
        if not isinstance(there, Calibration):
            return [Found(each.dataset, via) for each in members]
        valid = (each for each in members if asked.time is None or each.covers(asked.time))
        return [Found(each.dataset, via, each.begin, each.end, is_certified=True) for each in valid]

    def _held(self, run: str, asked: _Asked, *, is_begun: bool) -> list[Held]:
        held = held_in(self._repository, run, asked.name, self._until) if asked.name else None
        if held is not None or (asked.name and is_begun):
            return [] if held is None else [held]
        every = holdings(self._repository, run, self._until)
        if not every and not is_begun:
            raise self._catalogue.unknown(run)
        return [] if asked.name else every

    def _enter(self, collection: str, above: tuple[str, ...]) -> tuple[str, ...]:
        if collection in above:
            raise RepoError(f"{collection} contains itself: main was changed without its hook; fix it by hand")
        return (*above, collection)


def check_time(found: Found, time: datetime | None) -> None:
    """Check that a time is given if the answer depends on one.

    Raises:
        UsageError: It is missing.
    """
    if found.is_certified and time is None:
        raise UsageError(f"{found.via[-1]} has what is valid for a time only: give the time (--time)")


def _first_of_each(lists: Iterable[list[Found]]) -> list[Found]:
    """Return the datasets of several lists, without those of a name and type that an earlier list has.

    A whole revision also hides files of that transient, except those certified by themselves.
    """
    seen: dict[str, set[str]] = {}
    chosen: list[Found] = []
    for found in lists:
        kept = [each for each in found if not _is_hidden(each, seen)]
        for each in kept:
            seen.setdefault(each.dataset.name, set()).add(each.dataset.path)
        chosen += kept
    return chosen


def _is_hidden(found: Found, seen: dict[str, set[str]]) -> bool:
    paths = seen.get(found.dataset.name, ())
    return found.dataset.path in paths or ("" in paths and not found.is_certified)
