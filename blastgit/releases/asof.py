"""The state of a data repo on a day: data, valid calibrations, flags and collections, as they were together.

Data are those that Blast had exported by that day, as with `NAME@DAY`; collections are from main's commit of that day,
and flags those given by then. Nothing is stored, since all of it follows from the history: the answer stays the same
unless data of that time are recorded later, which `content` shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from blastgit.annotations.flag_lookup import FlagLookup
from blastgit.annotations.subjects import instant_text
from blastgit.collections.catalogue import Catalogue
from blastgit.collections.datasets import Dataset
from blastgit.collections.model import Calibration
from blastgit.collections.names import owner_of
from blastgit.collections.resolve import Found, Resolver
from blastgit.collections.states import Difference, commit_time, difference, main_at
from blastgit.errors import InvalidInput, NotFound
from blastgit.naming.names import is_personal, read_instant
from blastgit.releases.citation import citation_of
from blastgit.releases.cite import Cited
from blastgit.repository.base import Repository
from blastgit.repository.history import History
from blastgit.repository.identity import repo_identity
from blastgit.revision.words import plural


@dataclass(frozen=True)
class AsOf:
    """The state of a data repo at an instant.

    Attributes:
        when: The instant (UTC); for a day, its end.
        collection: The collection that selects the datasets; "" for all transients.
        main: The commit of main at that time; "" if main did not exist yet.
        datasets: The datasets, sorted by name.
        flags: The flag of each dataset that had one, as text, by its name.
    """

    when: datetime
    collection: str
    main: str
    datasets: tuple[Found, ...]
    flags: dict[str, str]

    @property
    def day(self) -> str:
        """The day, `2026-06-15`, if the instant is its end; else the instant."""
        is_end = (self.when.hour, self.when.minute, self.when.second) == (23, 59, 59) and self.when.microsecond
        return f"{self.when:%Y-%m-%d}" if is_end else instant_text(self.when)

    @property
    def content(self) -> str:
        """`sha256:…` of the names, validity and flags of all datasets: two states are the same if it is equal."""
        rows = [_facts(each, self.flags.get(str(each))) for each in self.datasets]
        text = json.dumps(rows, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "when": instant_text(self.when), "collection": self.collection or None, "main": self.main or None,
            "content": self.content,
            "datasets": [{**each.to_json(), "flag": self.flags.get(str(each))} for each in self.datasets],
        }  # fmt: skip


@dataclass(frozen=True)
class Since:
    """The difference between an earlier state and the present one.

    Attributes:
        then: The earlier state.
        now: The present one.
        datasets: The difference of their datasets.
        flags: Datasets of both whose flag has changed, with the flag then and now, or None.
    """

    then: AsOf
    now: AsOf
    datasets: Difference
    flags: dict[str, tuple[str | None, str | None]]

    def __bool__(self) -> bool:
        return bool(self.datasets or self.flags)

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        flags = {name: {"then": then, "now": now} for name, (then, now) in self.flags.items()}
        moments = {"then": instant_text(self.then.when), "now": instant_text(self.now.when)}
        return {**moments, "collection": self.then.collection or None, **self.datasets.to_json(), "flags": flags}


def as_of(repository: Repository, day: str | datetime, collection: str = "", names: Sequence[str] = ()) -> AsOf:
    """Return the state of a day; see `DataRepo.asof`."""
    when = read_instant(day.isoformat() if isinstance(day, datetime) else day)
    _check_past(repository, when)
    commit = main_at(repository, when)
    if commit is None and collection:
        raise NotFound(
            f"{repository.location} had no collections yet at {instant_text(when)}: "
            "leave out the collection, or ask for a later day"
        )
    catalogue = Catalogue(None if commit is None else commit.tree)
    resolver = Resolver(repository, catalogue, when)
    found = resolver.members(collection, when) if collection else list(_all(repository, resolver, catalogue, when))
    chosen = [each for each in found if not names or any(fnmatchcase(each.dataset.name, one) for one in names)]
    if not chosen:
        raise NotFound(_nothing(repository, when, collection, names))
    main = "" if commit is None else str(commit.id)
    return AsOf(when, collection, main, tuple(chosen), _flags(repository, chosen, when))


def since(repository: Repository, then: AsOf, names: Sequence[str] = ()) -> Since:
    """Compare an earlier state with the present one.

    Raises:
        NotFound: The collection no longer exists, or is empty now.
    """
    now = as_of(repository, _now(repository), then.collection, names)
    both = {str(each) for each in then.datasets} & {str(each) for each in now.datasets}
    pairs = {name: (then.flags.get(name), now.flags.get(name)) for name in sorted(both)}
    flags = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    return Since(then, now, difference([*then.datasets], [*now.datasets]), flags)


def cited(repository: Repository, state: AsOf) -> Cited:
    """Return the citation of a state: by the day, and by the digest that identifies it."""
    which = f"{state.collection or 'all transients'} as of {state.day}"
    names = (
        ("data repo", f"urn:uuid:{repo_identity(repository)}"),
        *((("commit of main", state.main),) if state.main else ()),
        ("content", state.content),
    )
    sizes = (plural(len(state.datasets), "dataset"),)
    simulated = repository.settings.simulated
    return Cited(which, state.day, f"{state.when:%Y-%m-%d}", names, citation_of(repository), sizes, (), simulated)


def _now(repository: Repository) -> datetime:
    """Return the present time, or that of main's last commit if a wrong clock made it later."""
    return max(datetime.now(UTC), commit_time(repository.main))


def _check_past(repository: Repository, when: datetime) -> None:
    now = _now(repository)
    if when.date() > now.date():
        raise InvalidInput(f"{instant_text(when)} is in the future: the latest possible day is {now:%Y-%m-%d}")


def _all(repository: Repository, resolver: Resolver, catalogue: Catalogue, when: datetime) -> Iterator[Found]:
    """Yield the revision of each transient, and each dataset that shared collections certify for that time."""
    history = History(repository)
    names = history.transients()
    numbers = {name: _number_then(history, name, when) for name in names}
    found = [Found(Dataset(name, number), ()) for name, number in numbers.items() if number is not None]
    for name, _ in catalogue.of_type(Calibration):
        if not owner_of(name):
            found += resolver.members(name, when)
    yield from sorted(dict.fromkeys(found), key=lambda each: each.dataset)


def _number_then(history: History, name: str, when: datetime) -> int | None:
    """Return the number of a transient's revision at a time, as for `NAME@DATE`; None before the first."""
    markers = history.all_markers(name)
    return max((each.number for each in markers if each.number is not None and each.time <= when), default=None)


def _nothing(repository: Repository, when: datetime, collection: str, names: Sequence[str]) -> str:
    what = f"{collection} gave nothing" if collection else "there were no data"
    of = f" of {', '.join(names)}" if names else ""
    history = History(repository)
    times = [_first_time(history, name) for name in history.transients()]
    first = min((each for each in times if each is not None), default=None)
    hint = f"; the first revision here is of {first:%Y-%m-%d}" if first is not None and first > when else ""
    return f"{what}{of} at {instant_text(when)}{hint}"


def _first_time(history: History, name: str) -> datetime | None:
    return min((each.time for each in history.all_markers(name) if each.number is not None), default=None)


def _flags(repository: Repository, found: Iterable[Found], when: datetime) -> dict[str, str]:
    lookup, history = FlagLookup(repository, when), History(repository)
    flags: dict[str, str] = {}
    for each in found:
        dataset = each.dataset
        flag = lookup.of_revision(dataset.line, dataset.number)
        if dataset.path and not is_personal(dataset.line):
            revision = history.tagged(dataset.line, dataset.number)
            flag = (None if revision is None else lookup.of_file(revision.sha256(dataset.path))) or flag
        if flag is not None:
            flags[str(each)] = flag
    return flags


def _facts(found: Found, flag: str | None) -> list[str | None]:
    times = (None if each is None else instant_text(each) for each in (found.begin, found.end))
    return [str(found), *times, flag]
