"""What may have been meant by a name that nothing has: the one place that offers the nearest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_MARKS = re.compile(r"[\s_-]+")
_ENDS = re.compile(r"[./]")


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "", *, count: int = 3) -> str:
    """Return how an error about an unknown name ends: `; did you mean host or hosts?`, or "" if nothing is near.

    Case does not matter, nor whether words are joined by a blank, `-` or `_`.

    Args:
        name: The name that nothing has.
        known: The names there are.
        otherwise: What to say if none of them is near, such as which command lists them.
        count: How many to offer at most.
    """
    near = nearest(name, known, count=count)
    if near:
        return f"; did you mean {_either(near)}?"
    return f"; {otherwise}" if otherwise else ""


def nearest(name: str, known: Iterable[str], *, count: int = 3) -> list[str]:
    """Return the known names that are most like a name, the nearest first."""
    import difflib  # for errors alone: reading commands should start without it

    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(_fold(each), each)
    return [folded[each] for each in difflib.get_close_matches(_fold(name), folded, n=count, cutoff=0.6)]


def with_beginnings(paths: Iterable[str]) -> Iterator[str]:
    """Yield paths, and before each all that it lies in: `host` before `host.redshift`."""
    seen: set[str] = set()
    for path in paths:
        for end in [*(match.start() for match in _ENDS.finditer(path)), len(path)]:
            if path[:end] not in seen:
                seen.add(path[:end])
                yield path[:end]


def _fold(name: str) -> str:
    return _MARKS.sub("-", name).casefold()


def _either(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
