"""Cards of FITS headers: reading their values and comparing them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from blastgit.content.model import CardChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastgit.content.model import Tolerance, Value

CARD = 80
Cards = dict[str, list["Value"]]

_STRING = re.compile(r"'((?:[^']|'')*)'")
_INTEGER = re.compile(r"[+-]?\d+")
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[EDed][+-]?\d+)?")
_COMPLEX = re.compile(r"\(([^,]+),([^,]+)\)")


def parse(header: bytes) -> Cards:
    """Values of a header by keyword, in order of appearance.

    Commentary (HISTORY, COMMENT, no keyword) has its text as value; an undefined value is None;
    long strings are joined from their CONTINUE cards; blank cards are left out.

    Args:
        header: whole cards of 80 bytes up to and perhaps including END.
    """
    cards: Cards = {}
    last: list[Value] = []
    for start in range(0, len(header), CARD):
        text = header[start : start + CARD].decode("latin-1")
        keyword = text[:8].rstrip()
        if keyword == "END":
            break
        if not text.strip():
            continue
        if keyword == "CONTINUE" and last and isinstance(last[-1], str) and last[-1].endswith("&"):
            last[-1] = f"{last[-1][:-1]}{_value(text[8:])}"
            continue
        keyword, value = _card(keyword, text)
        last = cards.setdefault(keyword, [])
        last.append(value)
    return cards


def changes(old: Cards, new: Cards, tolerance: Tolerance) -> Iterator[CardChange]:
    """Cards that differ, leaving out volatile ones; the order of different keywords is no content."""
    for keyword in old | new:
        if keyword in tolerance.volatile_cards:
            continue
        before, after = old.get(keyword, []), new.get(keyword, [])
        for one, other in zip(before, after, strict=False):
            if not _agree(one, other, tolerance.relative):
                yield CardChange(keyword, one, other)
        yield from (CardChange(keyword, value, None, (True, False)) for value in before[len(after) :])
        yield from (CardChange(keyword, None, value, (False, True)) for value in after[len(before) :])


def _card(keyword: str, text: str) -> tuple[str, Value]:
    if keyword == "HIERARCH" and "=" in text:
        long, _, rest = text[8:].partition("=")
        return long.strip(), _value(rest)
    if text[8:10] == "= ":
        return keyword, _value(text[10:])
    return keyword, text[8:].rstrip()


def _value(text: str) -> Value:
    """The value of a card; text that is no valid value stands for itself."""
    text = text.strip()
    if string := _STRING.match(text):
        return string[1].replace("''", "'").rstrip()
    text = text.partition("/")[0].strip()
    if text in ("T", "F"):
        return text == "T"
    if pair := _COMPLEX.fullmatch(text):
        real, imaginary = _number(pair[1].strip()), _number(pair[2].strip())
        return text if real is None or imaginary is None else complex(real, imaginary)
    number = _number(text)
    return (text or None) if number is None else number


def _number(text: str) -> int | float | None:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text.upper().replace("D", "E"))
    return None


def _agree(old: Value, new: Value, relative: float) -> bool:
    if isinstance(old, complex) and isinstance(new, complex):
        return _agree(old.real, new.real, relative) and _agree(old.imag, new.imag, relative)
    if isinstance(old, bool) or isinstance(new, bool):
        return old is new
    if isinstance(old, int | float) and isinstance(new, int | float):
        return old == new or ((isinstance(old, float) or isinstance(new, float)) and _near(old, new, relative))
    return type(old) is type(new) and old == new


def _near(old: float, new: float, relative: float) -> bool:
    """Whether two numbers are close; an overflown value reads as infinity, which is close to nothing."""
    largest = max(abs(old), abs(new))
    return largest != float("inf") and abs(old - new) <= relative * largest
