"""Dataset types, read from `types.yaml` and a data repo's own settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from blastgit.datasets.pattern import Pattern, read_pattern
from blastgit.datasets.recipe import Recipe, read_recipe
from blastgit.errors import NotFound, RepoError
from blastgit.naming.keys import read_keys, read_mapping
from blastgit.naming.nearest import did_you_mean
from blastgit.repository.settings import Settings
from blastgit.safe_yaml import load_shipped

_WHERE = "blastgit.yaml on main: dataset_types"
_WORDS = ("about", "files", "rows", "keys", "reader", "virtual")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
RESERVED = ("transient", "revision", "collection", "time", "reader", "even_invalid")
"""The parameters of `repo.dataset` besides the keys of a dataset."""


@dataclass(frozen=True)
class DatasetType:
    """A dataset type.

    Attributes:
        name: Its name.
        about: Its description, in a line.
        pattern: For files: the pattern of their paths; None for rows.
        rows: For rows: the table; "" for files.
        columns: For rows: the keys for queries, each with its column.
        reader: The name of its reader.
        virtual: For rows: the virtual columns.
    """

    name: str
    about: str = ""
    pattern: Pattern | None = None
    rows: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    reader: str = "bytes"
    virtual: tuple[Recipe, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys for queries."""
        return tuple(self.columns) if self.pattern is None else self.pattern.keys

    @property
    def source(self) -> str:
        """Its table or its pattern."""
        return f"rows of {self.rows}" if self.pattern is None else self.pattern.text

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "type": self.name, "about": self.about, "files": None if self.pattern is None else self.pattern.text,
            "rows": self.rows or None, "keys": list(self.keys), "reader": self.reader,
            "virtual": {each.name: each.text for each in self.virtual},
        }  # fmt: skip


@dataclass(frozen=True)
class DatasetTypes:
    """All dataset types of a data repo.

    Attributes:
        by_name: Each type by its name, the repo's own first.
    """

    by_name: Mapping[str, DatasetType]

    @classmethod
    def of(cls, settings: Settings) -> DatasetTypes:
        """Read the section `dataset_types` of the settings.

        Raises:
            RepoError: The section has a mistake.
        """
        return settings.read("dataset_types", read_types)

    def __iter__(self) -> Iterator[DatasetType]:
        return iter(self.by_name.values())

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def find(self, name: str) -> DatasetType:
        """Return the type of a name.

        Raises:
            NotFound: It does not exist; the error names the nearest.
        """
        if name in self.by_name:
            return self.by_name[name]
        hint = did_you_mean(name, self.by_name, f"there are {', '.join(self.by_name)}")
        where = "a data repo registers its own under dataset_types in blastgit.yaml"
        raise NotFound(f"there is no dataset type {name!r}{hint} ({where})")

    def of_path(self, path: str) -> tuple[DatasetType, dict[str, str]] | None:
        """Return the type and the keys of a dataset's file; None if it has no type."""
        for each in self:
            key = None if each.pattern is None else each.pattern.match(path)
            if key is not None:
                return each, key
        return None


def read_types(loaded: Any) -> DatasetTypes:
    """Read the setting `dataset_types`, which overrides the shipped types key by key.

    Raises:
        RepoError: It is not valid; the error gives its location.
    """
    words = read_mapping(loaded, _WHERE, "map the name of each type to what it is")
    shipped = load_shipped(__file__, "types.yaml")
    own = {str(name): _over(str(name), value, shipped) for name, value in words.items()}
    whole = {**own, **{name: value for name, value in shipped.items() if name not in own}}
    return DatasetTypes({name: _type(name, value) for name, value in whole.items() if value is not None})


def _over(name: str, value: Any, shipped: Mapping[str, Any]) -> dict[str, Any] | None:
    where = f"{_WHERE}.{name}"
    if not _NAME.fullmatch(name):
        raise RepoError(f"{where}: a type's name has small letters, digits and _, and begins with a letter")
    if value is None:
        if name not in shipped:
            raise RepoError(f"{where}: there is no such type to remove")
        return None
    read_keys(value, where, _WORDS)
    before = dict(shipped.get(name, {}))
    if "files" in value or "rows" in value:
        for word in ("files", "rows", "keys", "virtual"):
            before.pop(word, None)
    return {**before, **value}


def _type(name: str, value: Mapping[str, Any]) -> DatasetType:
    where = f"{_WHERE}.{name}"
    if ("files" in value) == ("rows" in value):
        raise RepoError(f"{where} should have either files (a pattern of paths) or rows (a table)")
    about, reader = (_text(value, word, where) for word in ("about", "reader"))
    if "files" in value:
        if value.get("keys") or value.get("virtual"):
            raise RepoError(f"{where}: keys and virtual are for rows; the keys of files are in the pattern")
        pattern = read_pattern(value["files"], f"{where}.files")
        _refuse_reserved(pattern.keys, where)
        return DatasetType(name, about, pattern, reader=reader or "bytes")
    rows = _text(value, "rows", where)
    from blastgit.revision.rules import default_rules

    if rows not in default_rules().tables:
        raise RepoError(f"{where}.rows is {rows!r}, but should be one of {', '.join(default_rules().tables)}")
    keys = value.get("keys") or {}
    if not isinstance(keys, dict) or not all(isinstance(each, str) for pair in keys.items() for each in pair):
        raise RepoError(f"{where}.keys should be a mapping from keys to columns")
    _refuse_reserved(keys, where)
    virtual = read_mapping(value.get("virtual"), f"{where}.virtual", "map the name of a column to its recipe")
    recipes = tuple(read_recipe(str(column), words, f"{where}.virtual.{column}") for column, words in virtual.items())
    return DatasetType(name, about, rows=rows, columns=dict(keys), reader=reader or "table", virtual=recipes)


def _text(value: Mapping[str, Any], word: str, where: str) -> str:
    found = value.get(word, "")
    if not isinstance(found, str) or not found.isprintable() or len(found) > 200:
        raise RepoError(f"{where}.{word} is {found!r}, but should be a line of text")
    return found


def _refuse_reserved(keys: Any, where: str) -> None:
    for key in keys:
        if key in RESERVED:
            raise RepoError(f"{where}: {key!r} cannot be a key: it is a parameter of `repo.dataset`")
