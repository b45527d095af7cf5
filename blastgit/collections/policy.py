"""The section `collections` of `blastgit.yaml`: names, protected collections, and which files are calibrations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from blastgit.collections.model import KINDS
from blastgit.collections.names import ROLES, Names, Row, owner_of
from blastgit.errors import RepoError
from blastgit.naming.keys import read_keys, read_mapping
from blastgit.repository.settings import Settings
from blastgit.safe_yaml import load_shipped

_WHERE = "blastgit.yaml on main: collections"
_KEYS = ("tables", "names", "parts", "protected", "calibrations")
_FIELDS = ("name", "type", "role", "about")
_WORD = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True)
class CollectionPolicy:
    """The settings of a data repo for collections.

    Attributes:
        names: The table of names.
        protected: Patterns of the collections whose change must be confirmed.
        calibrations: Patterns of the paths of files that are calibrations.
    """

    names: Names
    protected: tuple[str, ...] = ()
    calibrations: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> CollectionPolicy:
        """Read the policy from a data repo's settings.

        Raises:
            RepoError: The section `collections` has a mistake.
        """
        return settings.read("collections", read_section)

    def is_protected(self, name: str) -> bool:
        """Whether a change of this collection must be confirmed."""
        return any(fnmatchcase(name, pattern) for pattern in self.protected)

    def is_shared(self, name: str) -> bool:
        """Whether a collection is neither personal nor private to a run."""
        return not owner_of(name) and self.names.row(name).role != "private"


def read_section(loaded: Any) -> CollectionPolicy:
    """Read the section; missing keys have the defaults of `names.yaml`.

    Raises:
        RepoError: It is not valid.
    """
    given = read_keys(loaded, _WHERE, _KEYS)
    shipped = load_shipped(__file__, "names.yaml")
    parts = {**shipped["parts"], **_parts(given.get("parts", {}))}
    rows = _rows(f"{_WHERE}.names", given.get("names", {}), parts)
    for table in _texts("tables", given.get("tables", [*shipped["tables"]])):
        if table not in shipped["tables"]:
            raise RepoError(f"{_WHERE}.tables has {table!r}: those shipped are {', '.join(shipped['tables'])}")
        rows += _rows(f"names.yaml: {table}", shipped["tables"][table], parts)
    if not rows:
        raise RepoError(f"{_WHERE}: without any names there can be no collection")
    protected, calibrations = (_texts(key, given.get(key, [])) for key in ("protected", "calibrations"))
    return CollectionPolicy(Names(tuple(rows)), protected, calibrations)


def _parts(loaded: Any) -> dict[str, str]:
    given = read_mapping(loaded, f"{_WHERE}.parts", "map each word to a regular expression")
    for word, expression in given.items():
        try:
            if not isinstance(word, str) or not re.fullmatch("[a-z]+", word):
                raise RepoError(f"{_WHERE}.parts has {word!r}: a word is of small letters")
            re.compile(expression)
        except (re.error, TypeError) as error:
            raise RepoError(f"{_WHERE}.parts.{word} is not a regular expression: {error}") from None
    return given


def _rows(where: str, loaded: Any, parts: Mapping[str, str]) -> list[Row]:
    lines = read_mapping(loaded, where, "map keys to lines of the table of names")
    return [_row(f"{where}.{key}", key, line, parts) for key, line in lines.items()]


def _row(where: str, key: Any, line: Any, parts: Mapping[str, str]) -> Row:
    if not isinstance(key, str) or not _WORD.fullmatch(key):
        raise RepoError(f"{where}: a key is a word of small letters and -")
    values = dict.fromkeys(_FIELDS, "") | read_keys(line, where, _FIELDS, needed="name")
    if not all(isinstance(value, str) for value in values.values()) or not values["name"]:
        raise RepoError(f"{where} should have texts as values")
    if values["type"] not in ("", *KINDS):
        raise RepoError(f"{where}.type is {values['type']!r}: the types are {', '.join(KINDS)}")
    if values["role"] not in ROLES:
        raise RepoError(f"{where}.role is {values['role']!r}: the roles are {', '.join(ROLES[1:])}")
    if values["role"] == "private" and not values["name"].endswith("/*"):
        raise RepoError(f"{where}.name should end in /*: what comes before that is the umbrella of what is private")
    try:
        return Row(key, values["name"], values["type"], values["role"], values["about"], parts)
    except KeyError as word:
        raise RepoError(f"{where}.name has {word.args[0]}, which `parts` does not define") from None
    except re.error as error:
        raise RepoError(f"{where}.name is not a pattern: {error}") from None


def _texts(key: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Sequence) or not all(isinstance(text, str) and text for text in value):
        raise RepoError(f"{_WHERE}.{key} should be a list of texts")
    return tuple(value)
