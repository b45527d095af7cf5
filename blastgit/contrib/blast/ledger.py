"""Notes on what was recorded and what failed, in Django's cache, which all of Blast's workers share (Redis).

Nothing here has to be durable: what must be recorded follows from Blast's database and the data repo, so transients
without notes are simply examined again. Times of different clocks are never compared: a transient is unchanged if the
times of its tasks are the same as in the note, and the cache itself measures how old a note is.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from blastgit.contrib.blast.standing import Standing

T = TypeVar("T")

_DAY = 86400
_FIRST_WAIT = 600  # seconds until a failed recording is requested again; doubled each time
_FORGET = 30 * _DAY
_AT_ONCE = 1000  # keys per request to the cache


@dataclass(frozen=True)
class Failure:
    """The consecutive failed recordings of a transient.

    Attributes:
        count: How many there were.
        error: Why the last one failed.
        since: When the first one failed, by the clock of its worker (ISO 8601, UTC); only shown to people.
    """

    count: int
    error: str
    since: str


class Ledger:
    """The notes in the cache."""

    def __init__(self) -> None:
        """Open the default cache."""
        from django.core.cache import cache

        self._cache: Any = cache

    def done(self, standing: Standing) -> None:
        """Note that a transient was recorded in this state."""
        self._cache.set(_key("recorded", standing.name), standing.state, None)
        self._cache.set(_key("attempt", standing.name), _now(), _FORGET)
        self._cache.delete_many([_key("failed", standing.name), _key("reported", standing.name)])

    def restore(self, standings: Iterable[Standing]) -> None:
        """Note as recorded the states that the data repo contains."""
        for some in _batches(standings):
            self._cache.set_many({_key("recorded", each.name): each.state for each in some}, None)

    def failed(self, name: str, error: str) -> int:
        """Note that a recording failed, and return how many have failed in a row."""
        before = self.failures([name]).get(name)
        failure = Failure(before.count + 1, error, before.since) if before else Failure(1, error, _now())
        self._cache.set(_key("failed", name), (failure.count, failure.error, failure.since), _FORGET)
        self._cache.set(_key("attempt", name), _now(), _FORGET)
        return failure.count

    def edited(self, names: Iterable[str]) -> None:
        """Note that rows of transients were edited, so that they are due for recording."""
        for name in names:
            self._cache.add(_key("edits", name), 0, None)
            self._cache.incr(_key("edits", name))

    def with_edits(self, standings: Sequence[Standing]) -> list[Standing]:
        """Return standings with the number of noted edits."""
        edits: dict[str, int] = self._many("edits", [each.name for each in standings])
        return [replace(each, edits=edits[each.name]) if each.name in edits else each for each in standings]

    def recorded(self, names: Sequence[str]) -> dict[str, str]:
        """Return the states in which transients were last recorded, as far as known."""
        return self._many("recorded", names)

    def attempts(self, names: Sequence[str]) -> dict[str, str]:
        """Return when recordings of transients were last attempted, as far as known."""
        return self._many("attempt", names)

    def failures(self, names: Sequence[str]) -> dict[str, Failure]:
        """Return the failures of transients whose last recording failed."""
        return {name: Failure(*noted) for name, noted in self._many("failed", names).items() if len(noted) == 3}

    def news(self, failures: Mapping[str, str]) -> set[str]:
        """Return whose failure shall be logged, because it is new or was not logged for a day; note it as logged."""
        reported = self._many("reported", list(failures))
        fresh = {name: error for name, error in failures.items() if reported.get(name) != error}
        self._cache.set_many({_key("reported", name): error for name, error in fresh.items()}, _DAY)
        return set(fresh)

    def may_ask(self, standing: Standing, failures: int) -> bool:
        """Whether a recording may be requested now; if so, the next one only after a wait that grows with failures."""
        wait = min(_FIRST_WAIT * 2**failures, _DAY)
        return bool(self._cache.add(_key("asked", standing.name, standing.state), 1, wait))

    def asked(self, standings: Sequence[Standing]) -> set[str]:
        """Return the names of those that were requested recently, and may not be requested again yet."""
        return {each.name for each in self._marked("asked", standings)}

    def withdraw(self, standing: Standing) -> None:
        """Remove the note that a recording was requested."""
        self._cache.delete(_key("asked", standing.name, standing.state))

    def still(self, standings: Sequence[Standing], seconds: Callable[[Standing], int]) -> set[str]:
        """Return the names of those that have been unchanged for some seconds since their state was first seen.

        Each state is noted with the look at which it was first seen. A look is young as long as its mark lasts.
        """
        look = secrets.token_hex(6)
        first = dict.fromkeys(standings, look) | self._marked("seen", standings)
        new = {_key("seen", each.name, each.state): look for each, seen in first.items() if seen == look}
        for wait in {seconds(each) for each in standings} - {0}:
            self._cache.set(_key("young", look, str(wait)), 1, wait)
        self._cache.set_many(new, _FORGET)
        marks = {each: _key("young", seen, str(seconds(each))) for each, seen in first.items()}
        lasting = {key for some in _batches(set(marks.values())) for key in self._cache.get_many(some)}
        return {each.name for each, mark in marks.items() if mark not in lasting}

    def deaths(self, delivery: str) -> int:
        """Note that a message was redelivered because its worker died, and return how often that has happened."""
        self._cache.add(_key("deaths", delivery), 0, _DAY)
        return int(self._cache.incr(_key("deaths", delivery)))

    def _marked(self, what: str, standings: Sequence[Standing]) -> dict[Standing, Any]:
        keys = {_key(what, each.name, each.state): each for each in standings}
        return {keys[key]: value for some in _batches(keys) for key, value in self._cache.get_many(some).items()}

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
