"""Explain DuckDB's errors to the author of a query: its own messages are about internal types and settings."""

from __future__ import annotations

import re
from collections.abc import Callable

from blastgit.naming.nearest import did_you_mean

_CLASS = re.compile(r"^(?:[A-Z][A-Za-z]*(?: [A-Za-z]+)* Error: )+")
_FOR_DEVELOPERS = re.compile(r"\n\n(?:Stack Trace|Please try installing|Use \"SET )")
_CANDIDATES = re.compile(r"\n\tCandidate functions:\n(\t.*\n)+")
_QUOTED = re.compile(r'"([^"]+)"')
_TOO_LARGE = "a number is too large for its type; make it a double before, as in x::double"
_UNDEFINED = "keep such values out, or write TRY(…), which is null for them"

_MANY_ROWS = "a subquery that is used as one value returned several rows; add LIMIT 1, or use IN (…)"

_Words = Callable[[re.Match[str]], str]


def _missing(kind: str) -> _Words:
    def words(match: re.Match[str]) -> str:
        names = [each for each in _QUOTED.findall(match["others"] or "") if each != match["name"]]
        place = match.groupdict().get("table")
        begin = f"there is no {kind}" if place is None else f"{place!r} has no {kind}"
        return f"{begin} {match['name']!r}{did_you_mean(match['name'], names, _list(names))}"

    return words


def _list(names: list[str]) -> str:
    return f"there is {', '.join(names)}" if names else ""


_TYPES = {"INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INTEGER", "INT64": "BIGINT", "INT128": "HUGEINT",
          "BOOL": "BOOLEAN"}  # fmt: skip


def _unreadable(match: re.Match[str]) -> str:
    type_ = _TYPES.get(match["type"], match["type"])
    kind = "truth value" if type_ == "BOOLEAN" else "time" if type_.startswith(("TIME", "DATE")) else "number"
    return f"{match['text']!r} is not a {kind}; TRY_CAST({match['from'] or 'x'} AS {type_}) is null for it"


def _time(match: re.Match[str]) -> str:
    return f"{match['text']!r} is not a time; write 2026-05-27, or 2026-05-27 12:30:00"


_NAME, _CANDIDATES_OF = r'"(?P<name>[^"]+)"', r"!?(?P<others>\s*Candidate [^\n]*(?:\n(?!\n)[^\n]+)*)?"
_TABLE = r'(?:Table|Values list) "(?P<table>[^"]+)"'
_DID_YOU_MEAN = r"!?(?P<others>\s*Did you mean [^\n]*)?"
_SPELLINGS: tuple[tuple[str, _Words | str], ...] = (
    (f"Referenced column {_NAME} not found in FROM clause{_CANDIDATES_OF}", _missing("column")),
    (f"Could not find key {_NAME} in struct{_CANDIDATES_OF}", _missing("column")),
    (f"{_TABLE} does not have a column named {_NAME}{_CANDIDATES_OF}", _missing("column")),
    (f"Referenced table {_NAME} not found{_CANDIDATES_OF}", _missing("table")),
    (rf"Table with name (?P<name>\S+) does not exist{_DID_YOU_MEAN}", _missing("table")),
    (rf'(?:\w+ )*Function with name "?(?P<name>[^\s"]+)"? does not exist{_DID_YOU_MEAN}', _missing("function")),
    (
        (
            r"Could not convert string '(?P<text>[^']*)' to (?P<type>\w+)"
            r"(?: when casting from source column (?P<from>\w+))?"
        ),
        _unreadable,
    ),
    (r'(?:timestamp|date|time) field value out of range: "(?P<text>[^"]*)"[^\n]*', _time),
    (r'invalid (?:timestamp|date|time) field format: "(?P<text>[^"]*)"[^\n]*', _time),
    (r"Overflow (?:in|on) [^\n]*|Value out of range|Type \w+ with value \S+ can't be cast [^\n]*", _TOO_LARGE),
    (r"More than one row returned by a subquery[^\n]*", _MANY_ROWS),
    (
        (
            r"(?:Could not choose a best candidate function for the function call \"|"
            r"No function matches the given name and argument types ')(?P<call>[^\n]*?)[\"']\. [^\n]*"
        ),
        lambda match: f"nothing fits {match['call'].replace('_LITERAL', '')}; cast a value, as in x::double or x::text",
    ),
    (
        (
            r"(?P<fault>missing [)\]]|unexpected \)|no argument for repetition operator|bad repetition operator|"
            r"invalid (?:perl operator|escape sequence|character class range|repetition size)): (?P<text>[^\n]*)"
        ),
        lambda match: f"a regular expression cannot be read: {match['fault']}, in {match['text']!r}",
    ),
    (r"Invalid escape string\. [^\n]*", "what follows ESCAPE should be one character"),
    (
        r"(?P<what>[^\n]*(?:undefined outside|is undefined|out of range for numeric function|cannot take)[^\n]*)",
        lambda match: f"{match['what'].rstrip('.')}; {_UNDEFINED}",
    ),
)
"""DuckDB's messages, and what to say instead."""
_KNOWN = tuple((re.compile(pattern), words) for pattern, words in _SPELLINGS)


def explain(error: Exception) -> str:
    """Return the explanation of DuckDB's error: the mistake, the nearest names, and the place in the query."""
    whole = _CANDIDATES.sub("", _FOR_DEVELOPERS.split(str(error))[0]).strip()
    said, mark, place = whole.partition("\n\nLINE ")
    said = _CLASS.sub("", said).strip()
    for pattern, words in _KNOWN:
        match = pattern.match(said)
        if match is not None:
            said = words if isinstance(words, str) else words(match)
            break
    return f"{said}{mark}{place}"


def without_place(words: str) -> str:
    """Return an explanation without the place, for use if the query is not the one that the user wrote."""
    return words.partition("\n\nLINE ")[0].strip()
