"""The text of a saved query: comments in YAML with a description and parameters, then SQL.

-- description: hosts whose photometry is good
-- parameters:
--   snr: {type: double, default: 5, description: the least ratio of signal to noise}
SELECT transient, revision, ...
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from blastgit.errors import InvalidInput, RepoError, UsageError
from blastgit.index.rows import naive
from blastgit.safe_yaml import load_yaml
from blastgit.search.saved.names import is_name

SIZE_LIMIT = 100_000
"""Most bytes of a query."""

_HEADER, _FACTS = ("description", "parameters"), ("type", "default", "description")
TYPES = ("text", "integer", "double", "boolean", "timestamp")
"""The types of parameters."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes:
        name: Its name, `$name` in the SQL.
        type: One of `TYPES`.
        default: Its value if none is given; None if a value is required.
        about: Its description.
    """

    name: str
    type: str
    default: Any = None
    about: str = ""

    def value(self, given: object) -> Any:
        """Convert a value, which may be text, to its type.

        Raises:
            InvalidInput: It is not of that type.
        """
        try:
            return _READERS[self.type](given)
        except (ValueError, TypeError, OverflowError):
            raise InvalidInput(f"{self.name} should be {_WORDS[self.type]}, not {str(given)[:80]!r}") from None

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        default = self.default.isoformat() if isinstance(self.default, datetime) else self.default
        return {"name": self.name, "type": self.type, "default": default, "description": self.about}


@dataclass(frozen=True)
class Query:
    """A saved query.

    Attributes:
        name: Its name.
        text: The whole file.
        about: Its description.
        parameters: Its parameters by name.
        body: Its SQL without the comments before it and the semicolon after it.
    """

    name: str
    text: str
    about: str
    parameters: Mapping[str, Parameter]
    body: str

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of each parameter.

        Raises:
            UsageError: A parameter does not exist, or one without a default is missing.
            InvalidInput: A value is not of the parameter's type.
        """
        stray = sorted(given.keys() - self.parameters.keys())
        if stray:
            there = f"it has {', '.join(self.parameters)}" if self.parameters else "it has none"
            raise UsageError(f"the query {self.name} has no parameter {stray[0]!r}: {there}")
        found = {}
        for name, parameter in self.parameters.items():
            if given.get(name) is None and parameter.default is None:
                raise UsageError(f"the query {self.name} needs a value of {name} ({parameter.about or parameter.type})")
            found[name] = parameter.default if given.get(name) is None else parameter.value(given[name])
        return found

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        parameters = [each.to_json() for each in self.parameters.values()]
        return {"name": self.name, "description": self.about, "parameters": parameters}


def read_query(data: bytes, name: str) -> Query:
    """Read a query; its SQL is checked elsewhere (`check.py`).

    Raises:
        InvalidInput: It is not text, or the comments before the SQL are not valid.
    """
    if len(data) > SIZE_LIMIT:
        raise InvalidInput(f"the query {name} has {len(data):,} bytes, more than the {SIZE_LIMIT:,} allowed")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise InvalidInput(f"the query {name} is not UTF-8 text") from None
    if "\x00" in text:
        raise InvalidInput(f"the query {name} is not text: it has null characters")
    header, body = _split(text)
    about, parameters = _read_header(header, name)
    return Query(name, text, about, parameters, body)


def _split(text: str) -> tuple[str, str]:
    """Return the leading comments without their dashes, and the SQL."""
    lines = text.lstrip("\ufeff").splitlines()
    count = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("--")), len(lines))
    header = "\n".join(line.removeprefix("--").removeprefix(" ") for line in lines[:count])
    return header, "\n".join(lines[count:]).strip().removesuffix(";").rstrip()


def _read_header(header: str, name: str) -> tuple[str, dict[str, Parameter]]:
    try:
        loaded = load_yaml(header.encode(), f"what stands before the SQL of {name}")
    except RepoError as error:
        raise InvalidInput(str(error)) from None
    if not isinstance(loaded, dict):  # plain text
        return " ".join(header.split()), {}
    _check_keys(loaded, _HEADER, f"what stands before the SQL of {name}")
    about, parameters = loaded.get("description") or "", loaded.get("parameters") or {}
    if not isinstance(about, str):
        raise InvalidInput(f"the description of the query {name} should be text")
    if not isinstance(parameters, dict):
        raise InvalidInput(f"the parameters of the query {name} should be a mapping from names to their facts")
    return " ".join(about.split()), {str(key): _read_parameter(key, facts, name) for key, facts in parameters.items()}


def _read_parameter(key: object, facts: object, name: str) -> Parameter:
    if not isinstance(key, str) or not is_name(key):
        raise InvalidInput(f"the query {name} has the parameter {key!r}: small letters, digits and _, a letter first")
    where = f"the parameter {key} of the query {name}"
    if not isinstance(facts, dict):
        raise InvalidInput(f"{where} should be a mapping with `type` and, if need be, `default` and `description`")
    _check_keys(facts, _FACTS, where)
    type_, about = facts.get("type", "text"), facts.get("description") or ""
    if type_ not in TYPES or not isinstance(about, str):
        raise InvalidInput(f"{where}: its type is one of {', '.join(TYPES)}, its description is text")
    parameter = Parameter(key, type_, None, " ".join(about.split()))
    if facts.get("default") is None:
        return parameter
    return Parameter(key, type_, parameter.value(facts["default"]), parameter.about)


def _check_keys(loaded: Mapping[Any, Any], known: tuple[str, ...], where: str) -> None:
    stray = [key for key in loaded if key not in known]
    if stray:
        raise InvalidInput(f"{where} has {str(stray[0])[:80]!r}: its keys are {', '.join(known)}")


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise TypeError
    given.encode()
    return given


def _integer(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int | str):
        raise TypeError
    value = int(given)
    if abs(value) >= 2**63:
        raise OverflowError
    return value


def _double(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise TypeError
    value = float(given)
    if not math.isfinite(value):
        raise ValueError
    return value


def _boolean(given: object) -> bool:
    if isinstance(given, bool):
        return given
    return {"true": True, "false": False}[str(given).lower()] if str(given).lower() in ("true", "false") else _no()


def _timestamp(given: object) -> datetime:
    if isinstance(given, datetime):
        return naive(given)
    if isinstance(given, date):
        return datetime.combine(given, datetime.min.time())
    if not isinstance(given, str):
        raise TypeError
    found = datetime.fromisoformat(given)
    return naive(found.replace(tzinfo=found.tzinfo or UTC))


def _no() -> bool:
    raise ValueError


_READERS = {"text": _text, "integer": _integer, "double": _double, "boolean": _boolean, "timestamp": _timestamp}
_WORDS = {"text": "text", "integer": "a whole number", "double": "a number", "boolean": "true or false",
          "timestamp": "a time by ISO 8601"}  # fmt: skip
