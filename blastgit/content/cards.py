"""Cards of FITS headers: their values by the grammar of the FITS standard 4.0, and comparing them.

What stands behind ``= `` is a value only if it is one by that grammar (section 4, appendix A), alone or followed by
``/`` and a comment. Anything else counts as text, the comment with it: so no reader's idea of what was meant can hide a
change.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import TYPE_CHECKING

from blastgit.content.model import CardChange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from blastgit.content.model import Bounds, Tolerance, Value

CARD = 80
BLANK = " \0"
"""What fills cards and blocks: spaces by the standard, NULs by sloppy writers."""

_COMMENTARY = frozenset({"COMMENT", "HISTORY", ""})  # 4.4.2.4: they have no value, whatever their text looks like
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[ED][+-]?\d+)?"
_FIELD = re.compile(
    rf" *(?:'(?P<string>(?:[^']|'')*)'|(?P<logical>[TF])|(?P<number>{_NUMBER})"
    rf"|\( *(?P<real>{_NUMBER}) *, *(?P<imaginary>{_NUMBER}) *\))? *(?:/.*)?",
    re.ASCII | re.DOTALL,
)
_CONTINUED = re.compile(r" {2} *'(?P<string>(?:[^']|'')*)' *(?:/.*)?", re.DOTALL)
_DEFAULTS = {"BSCALE": 1, "BZERO": 0, "PCOUNT": 0, "GCOUNT": 1, "TSCAL": 1, "TZERO": 0}  # 4.4.2.5, 7.1.1 and 7.3.2
_IDLE = frozenset({"EXTEND", "LONGSTRN"})  # 4.4.2.1: that there may be extensions; that there may be long strings
_LONG_KEYWORD = re.compile(r"[^=']*[^=' ]")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written: an integer of any length, or a decimal fraction that perhaps no double holds."""

    text: str

    @property
    def is_integer(self) -> bool:
        """Whether it is written as one."""
        return self.text.lstrip("+-").isdecimal()

    @property
    def exact(self) -> Decimal | None:
        """What it is, exactly; None where even the exponent is beyond all bounds."""
        try:
            value = Decimal(self.text.replace("D", "E"))
        except DecimalException:
            return None
        return value if value.is_finite() else None

    @property
    def double(self) -> float | None:
        """The double next to it, None if it is too large or too small for one."""
        exact = self.exact
        if exact is None or not exact:
            return None if exact is None else 0.0
        near = float(exact)
        return near if sys.float_info.min <= abs(near) <= sys.float_info.max else None


@dataclass(frozen=True, slots=True)
class Text:
    """What is not a value: commentary, and whatever stands where the grammar wants a value."""

    text: str


CardValue = str | bool | Number | tuple[Number, Number] | Text | None
"""A string, logical, number, complex number or text; None if the value is undefined."""

Cards = dict[str, list[CardValue]]


def parse(header: bytes) -> Cards:
    """Values of a header by keyword, in order of appearance.

    Long strings are joined from their CONTINUE cards, a HIERARCH keyword is all of its words, and blank cards are left
    out. What stands behind the END card is the text of ``END``; as a rule it is blank, and nothing.

    Args:
        header: whole cards of 80 bytes up to and perhaps including END.
    """
    cards: Cards = {}
    text = header.decode("latin-1")
    long: _Long | None = None  # the string that the card before has left, if it ends in &
    for start in range(0, len(text), CARD):
        card = text[start : start + CARD].rstrip(BLANK)
        keyword = card[:8].rstrip(BLANK)
        if keyword == "END":
            if rest := text[start + 3 :].strip(BLANK):
                cards["END"] = [Text(rest)]
            break
        more = _CONTINUED.fullmatch(card[8:]) if long and keyword == "CONTINUE" else None
        if long and more:
            long.add(_unquoted(more["string"]))
            if long.may_continue:
                continue
        if long:
            long.close()
            long = None
        if card and not more:
            keyword, value = _card(keyword, card)
            values = cards.setdefault(keyword, [])
            values.append(value)
            if isinstance(value, str):
                opened = _Long(values, value)
                long = opened if opened.may_continue else None
    if long:
        long.close()
    for values in cards.values():
        values[:] = map(_without_blanks, values)
    return cards


class _Long:
    """A string on several cards, in pieces: joined at its end, for it may have very many."""

    def __init__(self, values: list[CardValue], first: str) -> None:
        """Begin with what its first card has, the last of some values."""
        self._values = values
        self._pieces = [first]

    @property
    def may_continue(self) -> bool:
        """Whether it ends in an ampersand."""
        return self._pieces[-1].rstrip(" ").endswith("&")

    def add(self, more: str) -> None:
        """Put what the next card has in place of the ampersand."""
        pieces = self._pieces
        pieces[-1] = pieces[-1].rstrip(" ")[:-1]
        pieces.append(more)
        while len(pieces) > 1 and not pieces[-1].strip(" "):  # so that the last one tells how all of it ends
            blank = pieces.pop()
            pieces[-1] += blank

    def close(self) -> None:
        """Put it where its first card has left its part."""
        self._values[-1] = "".join(self._pieces)


def changes(old: Cards, new: Cards, tolerance: Tolerance) -> Iterator[CardChange]:
    """Cards that differ, leaving out volatile ones; the order of different keywords is not content."""
    for keyword in old | new:
        if keyword in tolerance.volatile_cards:
            continue
        before, after = old.get(keyword, []), new.get(keyword, [])
        if before == after:
            continue
        bounds = tolerance.bounds(keyword)
        for one, other in zip(before, after, strict=False):
            if not agree(one, other, bounds):
                yield _change(keyword, (one, other), (True, True))
        if (not before or not after) and _goes_without_saying(keyword, before or after):
            continue
        yield from (_change(keyword, (value, None), (True, False)) for value in before[len(after) :])
        yield from (_change(keyword, (None, value), (False, True)) for value in after[len(before) :])


def _goes_without_saying(keyword: str, values: list[CardValue]) -> bool:
    """Whether, by the standard, a file without these cards means the same."""
    stem = indexed(keyword)[0] if keyword.startswith("T") else keyword
    default, value = _DEFAULTS.get(stem), values[0]
    return keyword in _IDLE or (
        len(values) == 1 and isinstance(value, Number) and default is not None and value.exact == default
    )


def agree(old: CardValue, new: CardValue, bounds: Bounds) -> bool:
    """Whether two values are the same; two fractions may differ by as much as ``bounds`` say."""
    if isinstance(old, Number) and isinstance(new, Number):
        return _agree_as_numbers(old, new, bounds)
    if isinstance(old, tuple) and isinstance(new, tuple):
        return all(_agree_as_numbers(one, other, bounds) for one, other in zip(old, new, strict=True))
    return type(old) is type(new) and old == new


def integer(cards: Cards, keyword: str) -> int | None:
    """The integer that a card states; None if there is no such card, or it states something else."""
    value = cards.get(keyword, [None])[0]
    return int(value.text) if isinstance(value, Number) and value.is_integer else None


def number(cards: Cards, keyword: str, default: float) -> float:
    """The number that a card states, or a default."""
    value = cards.get(keyword, [None])[0]
    double = value.double if isinstance(value, Number) else None
    return default if double is None else double


def indexed(keyword: str) -> tuple[str, int]:
    """A keyword such as TFORM12 as what it begins with and its number; 0 if it has none."""
    stem = keyword.rstrip("0123456789")
    return stem, int(keyword[len(stem) :] or 0)


def string(cards: Cards, keyword: str) -> str:
    """The string that a card states without blanks at its end; empty if it states none."""
    value = cards.get(keyword, [None])[0]
    return value.rstrip(" ") if isinstance(value, str) else ""


def logical(cards: Cards, keyword: str) -> bool:
    """Whether a card has the logical value T."""
    return cards.get(keyword, [None])[0] is True


def _card(keyword: str, card: str) -> tuple[str, CardValue]:
    if keyword in _COMMENTARY:
        return keyword, Text(card[8:])
    if card[8:10].ljust(2) == "= ":
        return keyword, _value(card[10:], Text(card[8:]))
    name, equals, rest = card[8:].partition("=")
    if keyword == "HIERARCH" and card[8:9] == " " and equals and _LONG_KEYWORD.fullmatch(name.strip(" ")):
        return " ".join(["HIERARCH", *name.split()]), _value(rest, Text(f"= {rest}"))
    return keyword, Text(card[8:])


def _value(field: str, text: Text) -> CardValue:
    """The value in the field of a card; ``text`` if there is none by the grammar."""
    found = _FIELD.fullmatch(field)
    if found is None:
        return text
    if found["string"] is not None:
        return _unquoted(found["string"])
    if found["logical"]:
        return found["logical"] == "T"
    if found["number"]:
        return Number(found["number"])
    return (Number(found["real"]), Number(found["imaginary"])) if found["real"] else None


def _unquoted(string: str) -> str:
    return string.replace("''", "'")


def _without_blanks(value: CardValue) -> CardValue:
    """A complete string without the blanks at its end, which say nothing.

    But one of nothing but blanks is an empty string, and not the null string ``''`` (4.2.1.1).
    """
    return value.rstrip(" ") or value[:1] if isinstance(value, str) else value


def _agree_as_numbers(old: Number, new: Number, bounds: Bounds) -> bool:
    if old.text == new.text:
        return True
    exact = old.exact, new.exact
    if None in exact:
        return False
    if exact[0] == exact[1]:
        return True
    doubles = old.double, new.double
    if old.is_integer or new.is_integer or doubles[0] is None or doubles[1] is None:
        return False
    return bounds.near(doubles[0], doubles[1])


def _change(keyword: str, values: tuple[CardValue, CardValue], present: tuple[bool, bool]) -> CardChange:
    old, new = values
    shown = tuple(_shown(value) if there else "" for value, there in zip(values, present, strict=True))
    return CardChange(keyword, _plain(old), _plain(new), present, (shown[0], shown[1]))


def _plain(value: CardValue) -> Value:
    """The value as Python has it; what no double holds, and text, as it is written."""
    if isinstance(value, Number):
        if value.is_integer:
            return int(value.text)
        return value.text if value.double is None else value.double
    if isinstance(value, tuple):
        real, imaginary = (part.double for part in value)
        return _shown(value) if real is None or imaginary is None else complex(real, imaginary)
    return value.text if isinstance(value, Text) else value


def _shown(value: CardValue) -> str:
    """The value as FITS writes it; text in double quotes, so that values that differ never look alike."""
    if value is None:
        return "undefined"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, str):
        quoted = value.replace("'", "''").encode("unicode_escape").decode("ascii")
        return f"'{quoted}'"
    if isinstance(value, tuple):
        return f"({value[0].text}, {value[1].text})"
    return value.text if isinstance(value, Number) else json.dumps(value.text)
