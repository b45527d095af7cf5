"""Lists and counts as people read them in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from blastgit.revision.document import Json

NAMED_AT_MOST = 4
"""How many items of a long list are named; the rest is counted."""


def names(items: Sequence[str]) -> str:
    """Return names in a row: "a, b and 7 more" if there are many."""
    named = list(items)[:NAMED_AT_MOST] if len(items) > NAMED_AT_MOST + 1 else list(items)
    left = len(items) - len(named)
    return ", ".join(named) + (f" and {left} more" if left else "")


def listed(words: str, items: Iterable[str]) -> str:
    """Return words and the names that they are about, each once; "" if there are none."""
    found = list(dict.fromkeys(items))
    return f"{words} {names(found)}" if found else ""


def plural(count: int, noun: str) -> str:
    """Return a count of things: "1 flag", "2,000 flags"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def show_value(value: Json) -> str:
    """Return a value as a person reads it in a sentence."""
    return "nothing" if value is None else repr(value) if isinstance(value, str) else str(value)


def show_change(old: Json, new: Json) -> tuple[str, str]:
    """Return two values that differ as a person reads them in a sentence, written so that they never look alike."""
    shown = show_value(old), show_value(new)
    return (_escaped(old), _escaped(new)) if _look_alike(*shown) else shown


def show_briefly(old: Json, new: Json, width: int) -> tuple[str, str]:
    """Return two values that differ in at most `width` characters each, written so that they never look alike."""
    for way in (_bare, show_value, _escaped):
        shown = _clipped(way(old), width), _clipped(way(new), width)
        if not _look_alike(*shown):
            return shown
    texts = _escaped(old), _escaped(new)
    at = next((at for at, (a, b) in enumerate(zip(*texts, strict=False)) if a != b), min(map(len, texts)))
    start = max(0, at - width // 3)
    one, other = (_clipped(("…" if start else "") + text[start:], width) for text in texts)
    return one, other


def _clipped(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _look_alike(old: str, new: str) -> bool:
    """Whether two texts may look the same on a screen, owing to blanks at an end, accents or other scripts."""
    one, other = _skeleton(old), _skeleton(new)
    pairs = zip(one, other, strict=False)
    return len(one) == len(other) and all(a == b or not (a.isascii() and b.isascii()) for a, b in pairs)


def _skeleton(text: str) -> str:
    """Return a text without the parts that cannot be seen for certain."""
    plain = " ".join(text.split())
    if plain.isascii():
        return plain
    import unicodedata

    return "".join(each for each in unicodedata.normalize("NFKD", plain) if unicodedata.category(each)[0] not in "MC")


def _bare(value: Json) -> str:
    """Return a value without quotes, and a number with ten digits."""
    if isinstance(value, float):
        return f"{value:.10g}"
    return value if isinstance(value, str) and value.isprintable() else show_value(value)


def _escaped(value: Json) -> str:
    return "nothing" if value is None else ascii(value)
