"""Suggests similar names for an unknown one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_MARKS = re.compile(r"[\s_-]+")
_ENDS = re.compile(r"[./]")


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "", *, count: int = 3) -> str:
    """Return the end of an error about an unknown name: `; did you mean host or hosts?`, or "" without similar names.

    Case does not matter, nor whether words are joined by a blank, `-` or `_`.

    Args:
        name: The unknown name.
        known: The known names.
        otherwise: What to say without similar names, such as which command lists the known ones.
        count: The greatest number of suggestions.
    """
    near = nearest(name, known, count=count)
    if near:
        return f"; did you mean {_either(near)}?"
    return f"; {otherwise}" if otherwise else ""


def nearest(name: str, known: Iterable[str], *, count: int = 3) -> list[str]:
    """Return the known names that are most similar to a name, the nearest first."""
    import difflib  # only for errors, to keep commands fast

    folded: dict[str, str] = {}
    for each in known:
        folded.setdefault(_fold(each), each)
    return [folded[each] for each in difflib.get_close_matches(_fold(name), folded, n=count, cutoff=0.6)]


def with_beginnings(paths: Iterable[str]) -> Iterator[str]:
    """Yield paths, each after the paths that contain it: `host` before `host.redshift`."""
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
