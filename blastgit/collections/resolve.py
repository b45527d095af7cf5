"""From a collection and a name to a dataset: the four types read alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from blastgit.annotations.subjects import instant_text
from blastgit.collections.catalogue import Catalogue
from blastgit.collections.datasets import Dataset, Member
from blastgit.collections.existence import has_file
from blastgit.collections.model import Calibration, Chained, Listed, Run, Tagged
from blastgit.collections.runs import held_in, holdings
from blastgit.errors import NotFound, RepoError, UsageError
from blastgit.naming.names import check_transient
from blastgit.naming.nearest import did_you_mean
from blastgit.repository.base import Repository

_NAME = "<name>"


class Found(NamedTuple):
    """A dataset, and how a collection came to give it.

    Attributes:
        dataset: The dataset.
        via: The collections that led to it, the one that was asked first and the one that holds it last.
        begin: Since when it is valid, if a CALIBRATION says so.
        end: Until when.
        attested: The commit of the reproduction by which a RUN holds it; "" if it was born into the RUN that gives it,
            or no RUN does.
    """

    dataset: Dataset
    via: tuple[str, ...]
    begin: datetime | None = None
    end: datetime | None = None
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
class _Wanted:
    name: str
    path: str
    time: datetime | None


class Resolver:
    """Looks into the collections of one state of main."""

    def __init__(self, repository: Repository, catalogue: Catalogue, until: datetime | None = None) -> None:
        """Look into a catalogue; what a RUN holds is read from the commits of the data repo.

        Args:
            repository: The data repo.
            catalogue: The collections.
            until: Of RUNs, only what had been exported by then; None for all.
        """
        self._repository = repository
        self._catalogue = catalogue
        self._until = until

    def resolve(self, collection: str, name: str, type_: str | None, time: datetime | None) -> Found:
        """Return the dataset that a collection has for a name.

        Args:
            collection: The collection.
            name: The transient.
            type_: The file, `<name>` in it standing for the transient; None for the revision as a whole.
            time: The instant for which a calibration is wanted, in UTC.

        Raises:
            NotFound: There is no such collection, or it has nothing of that name and type.
            UsageError: It is a matter of validity, and no time is given.
        """
        wanted = _Wanted(check_transient(name), (type_ or "").replace(_NAME, name), time)
        found = self._find(collection, wanted, ())
        if found is None:
            what = f"{wanted.path} of {name}" if wanted.path else f"revision of {name}"
            when = f" that is valid at {instant_text(time)}" if time is not None else ""
            hint = did_you_mean(
                name,
                {each.dataset.name for each in self.members(collection, time)} - {name},
                f"`blastgit collection show {collection}` tells what it has",
            )
            raise NotFound(f"{collection} has no {what}{when}{hint}")
        return found

    def members(self, collection: str, time: datetime | None) -> list[Found]:
        """Return all that a collection gives: the first of each name and type, sorted; of a RUN by reading every tag.

        Args:
            collection: The collection.
            time: The instant at which calibrations are to be valid; None for all of them, each with its validity.

        Raises:
            NotFound: There is no such collection.
        """
        return sorted(self._all(collection, time, ()), key=lambda each: each.dataset)

    def _find(self, collection: str, wanted: _Wanted, above: tuple[str, ...]) -> Found | None:
        via = self._enter(collection, above)
        there = self._catalogue.find(collection)
        if isinstance(there, Chained):
            return next((found for child in there.children if (found := self._find(child, wanted, via))), None)
        if there is None or isinstance(there, Run):
            return self._in_run(collection, there, wanted, via)
        assert isinstance(there, Listed)
        members = there.of(wanted.name)
        if not isinstance(there, Calibration):
            return self._fitting(members, wanted, via)
        if wanted.time is not None:
            return self._fitting([each for each in members if each.covers(wanted.time)], wanted, via)
        if self._fitting(members, wanted, via) is not None:
            raise UsageError(f"{collection} has what is valid for a time only: give the time (--time)")
        return None

    def _in_run(self, run: str, there: Run | None, wanted: _Wanted, via: tuple[str, ...]) -> Found | None:
        """Return what a run holds; it need not have been begun on main, if commits name it."""
        held = held_in(self._repository, run, wanted.name, self._until)
        if held is None:
            if there is None and not holdings(self._repository, run):
                _ = self._catalogue[run]  # which says what is near
            return None
        found = self._fitting([Member(held.dataset)], wanted, via)
        return found if found is None or held.is_born else found._replace(attested=held.marker.id)

    def _fitting(self, members: list[Member], wanted: _Wanted, via: tuple[str, ...]) -> Found | None:
        for member in members:
            dataset = member.dataset
            if dataset.path == wanted.path:
                return Found(dataset, via, member.begin, member.end)
            if not dataset.path and has_file(self._repository, dataset, wanted.path):
                return Found(Dataset(dataset.line, dataset.number, wanted.path), via, member.begin, member.end)
        return None

    def _all(self, collection: str, time: datetime | None, above: tuple[str, ...]) -> list[Found]:
        via = self._enter(collection, above)
        there = self._catalogue.find(collection)
        if isinstance(there, Tagged):
            return [Found(dataset, via) for dataset in there.datasets()]
        if there is None or isinstance(there, Run):
            return self._of_run(collection, there, via)
        if isinstance(there, Chained):
            lists = (self._all(child, time, via) for child in there.children)
            return _first_of_each(lists)
        assert isinstance(there, Calibration)
        valid = (each for each in there.members() if time is None or each.covers(time))
        return [Found(each.dataset, via, each.begin, each.end) for each in valid]

    def _of_run(self, run: str, there: Run | None, via: tuple[str, ...]) -> list[Found]:
        held = holdings(self._repository, run, self._until)
        if there is None and not held:
            _ = self._catalogue[run]  # which says what is near
        return [Found(each.dataset, via, attested="" if each.is_born else each.marker.id) for each in held]

    def _enter(self, collection: str, above: tuple[str, ...]) -> tuple[str, ...]:
        if collection in above:
            raise RepoError(f"{collection} chains itself: somebody changed main without its hook; mend it by hand")
        return (*above, collection)


def _first_of_each(lists: Iterator[list[Found]]) -> list[Found]:
    """Return the first of each name and type; what one list has of them hides all that later ones have of it."""
    seen: dict[str, set[str]] = {}
    chosen: list[Found] = []
    for found in lists:
        kept = [each for each in found if not _hidden(each.dataset, seen)]
        for each in kept:
            seen.setdefault(each.dataset.name, set()).add(each.dataset.path)
        chosen += kept
    return chosen


def _hidden(dataset: Dataset, seen: dict[str, set[str]]) -> bool:
    paths = seen.get(dataset.name, ())
    return bool(paths) and (dataset.path in paths or "" in paths)
