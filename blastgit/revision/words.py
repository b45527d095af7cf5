"""Lists and counts as people read them in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NAMED_AT_MOST = 4
"""How many of very many things are named; the rest is counted."""


def names(items: Sequence[str]) -> str:
    """Return names one after the other: "a, b and 7 more" if there are very many."""
    named = list(items)[:NAMED_AT_MOST] if len(items) > NAMED_AT_MOST + 1 else list(items)
    left = len(items) - len(named)
    return ", ".join(named) + (f" and {left} more" if left else "")


def listed(words: str, items: Iterable[str]) -> str:
    """Return words and the names that they are about, each once; nothing if there is none."""
    found = list(dict.fromkeys(items))
    return f"{words} {names(found)}" if found else ""


def plural(count: int, noun: str) -> str:
    """Return a count of things: "1 flag", "2 flags"."""
    return f"{count} {noun}{'s' * (count != 1)}"
