"""Random pairs of FITS cards, and an independent parser of the standard that decides which are equal in value.

The parser reads a card character by character (FITS 4.0, section 4), and shares no code with blastgit's.
"""

from __future__ import annotations

import random
import re
import string
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from sys import float_info
from typing import Any

from blastgit.content import Tolerance
from blastgit.content.cards import changes, parse

_TOLERANCE = Tolerance()
_COMMENTS = ("", " / flat A", " / flat B", "/x", " / it's", " / = 3 '", " /")
_WORDS = ("", " ", "flat", "it's", "a/b", "a / b", "5", "T", "= 3", "'", "''", "&", "a &", "  b", "1E5", "(1, 2)", "/")
_ODD = (
    "", "T", "F", "t", "TRUE", "'open", "'it's'", "a/b", "1e5", "1 2", "0x1F", "1.5.2", "E5", "NaN", ".", "-", "+.",
    "(1,)", "(1,2", "'a' b", "1_000", "'a''", "= 5", "INF", "1D",
)  # fmt: skip
_KEYS = ("KEY", "KEY", "KEY", "COMMENT", "HISTORY", "", "HIERARCH", "HIERARCH ESO KEY", "HIERARCH  ESO  KEY", "K-_9")


Card = tuple[str, str, Any]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two headers, each of one card or of one with its continuation cards."""

    old: bytes
    new: bytes


def pairs(count: int, seed: int) -> Iterator[Pair]:
    """Yield pairs: about half are spellings of the same value, the rest differ in a character, a value or a comment."""
    chance = random.Random(seed)
    for _ in range(count):
        key, value = chance.choice(_KEYS), _value(chance)
        old = _written(chance, key, value)
        how = chance.random()
        if how < 0.4:
            new = _written(chance, key, _spelled_anew(chance, value))
        elif how < 0.75:
            new = _edited(chance, old)
        elif how < 0.85:
            new = _written(chance, chance.choice(_KEYS), value)
        else:
            new = _written(chance, key, _value(chance))
        yield Pair(_padded(old), _padded(new))


def judge(pair: Pair) -> str:
    """Return blastgit's verdict on a pair, "equal" or "different", or a description of what is wrong with it."""
    found = "different" if any(changes(parse(pair.old), parse(pair.new), _TOLERANCE)) else "equal"
    right = "equal" if _agree(read(pair.old), read(pair.new)) else "different"
    if found != right:
        return f"{found}, and by the grammar {right}"
    if found == "equal" and _differ_by_astropy(pair):
        return "equal, and by astropy different"
    return found


def tally(count: int, seed: int = 1) -> tuple[Counter[str], list[Pair]]:
    """Judge many pairs; return the number of each verdict, and the pairs that were judged wrong."""
    verdicts: Counter[str] = Counter()
    wrong = []
    for pair in pairs(count, seed):
        verdict = judge(pair)
        verdicts[verdict] += 1
        if verdict not in ("equal", "different"):
            wrong.append(pair)
    return verdicts, wrong


def read(header: bytes) -> list[Card]:
    """Read the cards of a header: the keyword of each, the kind of its value, and the value."""
    left = [header[at : at + 80].decode("latin-1") for at in range(0, len(header), 80)]
    found = []
    while left:
        keyword, kind, value = _card(left.pop(0))
        if kind == "string":
            while left and value.rstrip(" ").endswith("&") and left[0][:10] == "CONTINUE  ":
                more_kind, more = _field(left[0][10:])
                if more_kind != "string":
                    break
                value = value.rstrip(" ")[:-1] + more
                left.pop(0)
            value = value.rstrip(" ") or value[:1]
        if (keyword, value) != ("", ""):  # a blank card
            found.append((keyword, kind, value))
    return sorted(found, key=lambda card: card[0])


def _card(card: str) -> Card:
    keyword = card[:8].rstrip(" ")
    text = card[8:].rstrip(" ")
    if keyword in ("COMMENT", "HISTORY", ""):
        return keyword, "text", text
    if card[8:10] == "= ":
        field = card[10:]
    elif keyword == "HIERARCH" and _long_name(card):
        name, _, field = card[8:].partition("=")
        keyword = "HIERARCH " + " ".join(name.split())
        text = ("= " + field).rstrip(" ")
    else:
        return keyword, "text", text
    kind, value = _field(field)
    return (keyword, "text", text) if kind == "text" else (keyword, kind, value)


def _long_name(card: str) -> bool:
    name, equals, _ = card[8:].partition("=")
    return card[8] == " " and bool(equals) and bool(name.strip()) and "'" not in name


def _field(text: str) -> tuple[str, Any]:
    """Read a value field: the text before a slash or the end, without blanks."""
    at = 0
    while at < len(text) and text[at] == " ":
        at += 1
    if at == len(text) or text[at] == "/":
        return "undefined", None
    if text[at] == "'":
        return _string_at(text, at + 1)
    end = text.find("/", at)
    word = (text[at:] if end < 0 else text[at:end]).rstrip(" ")
    if word in ("T", "F"):
        return "logical", word == "T"
    if word.startswith("(") and word.endswith(")"):
        parts = word[1:-1].split(",")
        if len(parts) == 2 and all(_is_number(part.strip(" ")) for part in parts):
            return "complex", tuple(part.strip(" ") for part in parts)
    return ("number", word) if _is_number(word) else ("text", None)


def _string_at(text: str, at: int) -> tuple[str, Any]:
    letters = []
    while at < len(text):
        if text[at] != "'":
            letters.append(text[at])
            at += 1
        elif text[at + 1 : at + 2] == "'":
            letters.append("'")
            at += 2
        else:
            rest = text[at + 1 :].lstrip(" ")
            return ("string", "".join(letters)) if rest[:1] in ("", "/") else ("text", None)
    return "text", None


def _is_number(word: str) -> bool:
    body = word[1:] if word[:1] in ("+", "-") else word
    for letter in "ED":
        mantissa, found, exponent = body.partition(letter)
        if found:
            digits = exponent[1:] if exponent[:1] in ("+", "-") else exponent
            return _is_decimal(mantissa) and bool(digits) and all(each in string.digits for each in digits)
    return _is_decimal(body)


def _is_decimal(word: str) -> bool:
    whole, _, fraction = word.partition(".")
    return bool(whole + fraction) and all(each in string.digits for each in whole + fraction)


def _agree(old: list[Card], new: list[Card]) -> bool:
    return len(old) == len(new) and all(_same(*each) for each in zip(old, new, strict=True))


def _same(old: Card, new: Card) -> bool:
    if old[:2] != new[:2]:
        return False
    if old[1] == "number":
        return _near(old[2], new[2])
    if old[1] == "complex":
        return all(_near(*parts) for parts in zip(old[2], new[2], strict=True))
    return bool(old[2] == new[2])


def _near(old: str, new: str) -> bool:
    if _normal(old) == _normal(new):
        return True
    if any(word.lstrip("+-").isdigit() for word in (old, new)):
        return False
    one, other = (float(word.replace("D", "E")) for word in (old, new))
    if any(not float_info.min <= abs(each) <= float_info.max for each in (one, other)):
        return False
    return abs(one - other) <= 1e-12 * max(abs(one), abs(other))


def _normal(word: str) -> tuple[bool, str, int]:
    """Return a number as its sign, its digits without leading and trailing zeros, and the last digit's exponent."""
    mantissa, _, exponent = word.lstrip("+-").replace("D", "E").partition("E")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    bare = digits.rstrip("0")
    power = int(exponent or "0") - len(fraction) + len(digits) - len(bare)
    return (word.startswith("-"), bare, power) if bare else (False, "", 0)


def _differ_by_astropy(pair: Pair) -> bool:
    """Whether astropy reads two different values, from cards that it can read.

    It is not used where it deviates from the standard: it removes an ampersand from the last part of a long string, and
    reads a comment with an apostrophe after an empty string as part of that string.
    """
    from astropy.io.fits import Card as AstropyCard

    values = []
    for header in (pair.old, pair.new):
        if re.search(rb"'[ &]*'", header):
            return False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                values.append(AstropyCard.fromstring(header).value)
            except Exception:  # noqa: BLE001 (what astropy cannot read, it does not compare)
                return False
    one, other = values
    if all(isinstance(each, str) for each in values):
        return bool(one.rstrip(" &") != other.rstrip(" &"))
    if any(isinstance(each, float | complex) for each in values) and _are_numbers(*values):
        parts = [(one.real, other.real), (one.imag, other.imag)]
        return any(abs(a - b) > 1e-11 * max(abs(a), abs(b)) for a, b in parts if isfinite(a) and isfinite(b))
    return bool(one != other) or _are_numbers(one) != _are_numbers(other)


def _are_numbers(*values: object) -> bool:
    return all(isinstance(each, int | float | complex) and not isinstance(each, bool) for each in values)


def _value(chance: random.Random) -> str:
    makers = (_text, _text, _integer, _real, _complex, _odd)
    return chance.choice(makers)(chance)


def _text(chance: random.Random) -> str:
    words = " ".join(chance.choice(_WORDS) for _ in range(chance.randint(1, 3)))
    return "'" + words.replace("'", "''") + "'"


def _integer(chance: random.Random) -> str:
    size = chance.choice((1, 1, 9, 53, 54, 64, 200))
    return str(chance.choice((1, -1)) * chance.getrandbits(size))


def _real(chance: random.Random) -> str:
    digits = "".join(chance.choices(string.digits, k=chance.choice((1, 3, 15, 17, 20))))
    point = chance.randint(0, len(digits))
    exponent = chance.choice(("", "", f"E{chance.randint(-12, 12)}", f"D+{chance.randint(0, 9)}", "E400", "D-400"))
    return f"{digits[:point]}.{digits[point:]}{exponent}"


def _complex(chance: random.Random) -> str:
    part = chance.choice((_integer, _real))
    return f"({part(chance)},{' ' * chance.randint(0, 2)}{part(chance)})"[:60]


def _odd(chance: random.Random) -> str:
    return chance.choice(_ODD)


def _spelled_anew(chance: random.Random, value: str) -> str:
    """Return another spelling of the same value, if there is one."""
    if value.startswith("'") and value.endswith("'") and len(value) > 2 and value[-2] not in "' ":
        return value[:-1] + " " * chance.randint(0, 3) + "'"
    if value.lstrip("-").isdigit():
        sign, digits = ("-", value[1:]) if value.startswith("-") else (chance.choice(("", "+")), value)
        return sign + "0" * chance.randint(0, 2) + digits + chance.choice(("", "", ".", ".0"))
    if "." in value and not value.startswith("("):
        return ("0" + value if value[:1].isdigit() else value).replace("E", chance.choice("ED"))
    return value


def _written(chance: random.Random, key: str, value: str) -> str:
    """Return a card, possibly with continuation cards."""
    start = f"{key:8}= " if len(key) <= 8 else f"{key} = "
    if len(key) <= 8 and chance.random() < 0.1:
        start = f"{key:8}{chance.choice(('  ', '=', ' ='))}"
    comment = chance.choice(_COMMENTS)
    if value.startswith("'") and value.endswith("'") and len(value) > 3 and chance.random() < 0.3:
        cut = chance.randint(1, len(value) - 1)
        first, second = value[1:cut], value[cut:-1]
        if first.count("'") % 2 == 0 and second.count("'") % 2 == 0:
            head = f"{start}{' ' * chance.randint(0, 3)}'{first}&'{comment}"
            return f"{head:80.80}" + f"CONTINUE  {' ' * chance.randint(0, 2)}'{second}'{chance.choice(_COMMENTS)}"
    return f"{start}{' ' * chance.randint(0, 20)}{value}{comment}"[:80]


def _edited(chance: random.Random, card: str) -> str:
    """Return a card with one character changed, added or removed."""
    at = chance.randrange(len(card))
    letter = chance.choice("0159 '/&=.EDT(),-+aB")
    kept = card[at + 1 :] if chance.random() < 0.6 else card[at:]
    edited = card[:at] + (letter if chance.random() < 0.8 else "") + kept
    return edited if len(card) > 80 else edited[:80]


def _padded(card: str) -> bytes:
    return card.ljust(-(-len(card) // 80) * 80).encode("ascii")
