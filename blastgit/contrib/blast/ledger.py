"""What was recorded already and what failed, noted in Django's cache, which all of Blast's workers share (Redis).

Nothing here has to last. What is to be recorded follows from Blast's database and the data repo, so whatever is
forgotten is looked at again; and no moment is ever compared with another machine's clock: a transient stands where it
stood if the same time is noted at its tasks, and how long ago something was noted is the cache's to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_DAY = 86400
_FIRST_WAIT = 600  # seconds before a transient whose recording failed is asked for again; twice as long each time
_FORGET = 30 * _DAY


class Ledger:
    """The notes."""

    def __init__(self) -> None:
        """Open the default cache."""
        from django.core.cache import cache

        self._cache: Any = cache

    def done(self, name: str, changed: str | None) -> None:
        """Note that a transient was recorded as it stood."""
        if changed is not None:
            self._cache.set(_key("recorded", name), changed, None)
        self._cache.delete(_key("failed", name))

    def failed(self, name: str, error: str) -> int:
        """Note that a recording failed, and return how many did in a row."""
        count = int(self.failures([name]).get(name, (0, ""))[0]) + 1
        self._cache.set(_key("failed", name), (count, error), _FORGET)
        return count

    def recorded(self, names: Sequence[str]) -> dict[str, str]:
        """Return how transients stood when they were recorded, as far as that is known."""
        return self._many("recorded", names)

    def failures(self, names: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Return how often in a row recordings failed, and why, of those that did."""
        return self._many("failed", names)

    def may_ask(self, name: str, changed: str, failures: int) -> bool:
        """Whether it is time to ask for a recording; the next time is a while later, and later the more have failed."""
        wait = min(_FIRST_WAIT * 2**failures, _DAY)
        return bool(self._cache.add(_key("asked", name, changed), 1, wait))

    def withdraw(self, name: str, changed: str) -> None:
        """Take back that a recording was asked for."""
        self._cache.delete(_key("asked", name, changed))

    def stands_still(self, name: str, changed: str, seconds: int) -> bool:
        """Whether a transient has stood as it does for that long, since somebody first looked."""
        young = _key("young", name, changed)
        if self._cache.add(_key("seen", name, changed), 1, _FORGET):
            self._cache.set(young, 1, seconds)
        return self._cache.get(young) is None

    def deaths(self, delivery: str) -> int:
        """Note that a message came back because the worker that had it died, and return how often it did."""
        self._cache.add(_key("deaths", delivery), 0, _DAY)
        return int(self._cache.incr(_key("deaths", delivery)))

    def _many(self, what: str, names: Sequence[str]) -> dict[str, Any]:
        found = self._cache.get_many([_key(what, name) for name in names])
        start = len(_key(what, ""))
        return {key[start:]: value for key, value in found.items()}


def _key(what: str, *parts: str) -> str:
    return f"blastgit:{what}:{':'.join(part.replace(' ', '') for part in parts)}"
