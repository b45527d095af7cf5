"""What was recorded already and what failed, noted in Django's cache, which all of Blast's workers share (Redis).

Nothing here has to last. What is to be recorded follows from Blast's database and the data repo, so whatever is
forgotten is looked at again; and no moment is ever compared with another machine's clock: a transient stands where it
stood if the same time is noted at its tasks, and how long ago something was noted is the cache's to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from blastgit.contrib.blast.standing import Standing

T = TypeVar("T")

_DAY = 86400
_FIRST_WAIT = 600  # seconds before a transient whose recording failed is asked for again; twice as long each time
_FORGET = 30 * _DAY
_AT_ONCE = 1000  # keys in one question to the cache


@dataclass(frozen=True)
class Failure:
    """Recordings of a transient that failed, one after the other.

    Attributes:
        count: How many.
        error: Why the last one did.
        since: When the first one did, by the clock of its worker (ISO 8601, UTC); for people to read.
    """

    count: int
    error: str
    since: str


class Ledger:
    """The notes."""

    def __init__(self) -> None:
        """Open the default cache."""
        from django.core.cache import cache

        self._cache: Any = cache

    def done(self, standing: Standing) -> None:
        """Note that a transient was recorded as it stood."""
        self._cache.set(_key("recorded", standing.name), standing.state, None)
        self._cache.set(_key("attempt", standing.name), _now(), _FORGET)
        self._cache.delete_many([_key("failed", standing.name), _key("reported", standing.name)])

    def restore(self, standings: Iterable[Standing]) -> None:
        """Note as recorded what the data repo has published."""
        for some in _batches(standings):
            self._cache.set_many({_key("recorded", each.name): each.state for each in some}, None)

    def failed(self, name: str, error: str) -> int:
        """Note that a recording failed, and return how many did in a row."""
        before = self.failures([name]).get(name)
        failure = Failure(before.count + 1, error, before.since) if before else Failure(1, error, _now())
        self._cache.set(_key("failed", name), (failure.count, failure.error, failure.since), _FORGET)
        self._cache.set(_key("attempt", name), _now(), _FORGET)
        return failure.count

    def edited(self, names: Iterable[str]) -> None:
        """Note that rows of transients were edited, so that they are due."""
        for name in names:
            self._cache.add(_key("edits", name), 0, None)
            self._cache.incr(_key("edits", name))

    def with_edits(self, standings: Sequence[Standing]) -> list[Standing]:
        """Return standings with the number of edits that were noticed."""
        edits: dict[str, int] = self._many("edits", [each.name for each in standings])
        return [replace(each, edits=edits[each.name]) if each.name in edits else each for each in standings]

    def recorded(self, names: Sequence[str]) -> dict[str, str]:
        """Return the states in which transients were recorded, as far as they are known."""
        return self._many("recorded", names)

    def attempts(self, names: Sequence[str]) -> dict[str, str]:
        """Return when transients were last recorded, or it was tried, as far as that is known."""
        return self._many("attempt", names)

    def failures(self, names: Sequence[str]) -> dict[str, Failure]:
        """Return which recordings failed last, and why."""
        return {name: Failure(*noted) for name, noted in self._many("failed", names).items() if len(noted) == 3}

    def news(self, failures: Mapping[str, str]) -> set[str]:
        """Return whose failure is to be logged: it changed, or was not for a day; from now on it was."""
        reported = self._many("reported", list(failures))
        fresh = {name: error for name, error in failures.items() if reported.get(name) != error}
        self._cache.set_many({_key("reported", name): error for name, error in fresh.items()}, _DAY)
        return set(fresh)

    def may_ask(self, standing: Standing, failures: int) -> bool:
        """Whether it is time to ask for a recording; the next time is a while later, and later the more have failed."""
        wait = min(_FIRST_WAIT * 2**failures, _DAY)
        return bool(self._cache.add(_key("asked", standing.name, standing.state), 1, wait))

    def asked(self, standings: Sequence[Standing]) -> set[str]:
        """Return those that were asked for a while ago, and are not to be asked for yet again."""
        return {each.name for each in self._marked("asked", standings)}

    def withdraw(self, standing: Standing) -> None:
        """Take back that a recording was asked for."""
        self._cache.delete(_key("asked", standing.name, standing.state))

    def still(self, standings: Sequence[Standing], seconds: Callable[[Standing], int]) -> set[str]:
        """Return those that have stood as they do for a number of seconds, since somebody first looked."""
        known = self._marked("seen", standings)
        new = [each for each in standings if each not in known]
        for wait in {seconds(each) for each in new} - {0}:
            young = [each for each in new if seconds(each) == wait]
            self._cache.set_many({_key("young", each.name, each.state): 1 for each in young}, wait)
        self._cache.set_many({_key("seen", each.name, each.state): 1 for each in new}, _FORGET)
        young_now = self._marked("young", standings)
        return {each.name for each in standings if each not in young_now}

    def deaths(self, delivery: str) -> int:
        """Note that a message came back because the worker that had it died, and return how often it did."""
        self._cache.add(_key("deaths", delivery), 0, _DAY)
        return int(self._cache.incr(_key("deaths", delivery)))

    def _marked(self, what: str, standings: Sequence[Standing]) -> set[Standing]:
        keys = {_key(what, each.name, each.state): each for each in standings}
        return {keys[key] for some in _batches(keys) for key in self._cache.get_many(some)}

    def _many(self, what: str, names: Collection[str]) -> dict[str, Any]:
        start = len(_key(what, ""))
        found: dict[str, Any] = {}
        for some in _batches(names):
            noted = self._cache.get_many([_key(what, name) for name in some])
            found |= {key[start:]: value for key, value in noted.items()}
        return found


def _batches(items: Iterable[T]) -> Iterable[list[T]]:
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _key(what: str, *parts: str) -> str:
    return f"blastgit:{what}:{':'.join(part.replace(' ', '') for part in parts)}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
