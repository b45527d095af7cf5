"""The tables of the index, read from `tables.yaml`: their descriptions, and the SQL that creates them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from blastgit.safe_yaml import load_yaml

_CODE_VERSION = 3  # raise it when the same tables are filled otherwise
_FILE = Path(__file__).with_name("tables.yaml")
_SQL = {"text": "VARCHAR", "integer": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN",
        "timestamp": "TIMESTAMP"}  # fmt: skip
_PERCENTILES = (16, 50, 84)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, or of the result of a query.

    Attributes:
        name: Its name.
        type: text, integer, bigint, double, boolean or timestamp.
        unit: Its unit as VOUnit; "" for none.
        ucd: Its UCD1+; "" if unknown.
        about: Its description.
        utype: Its role in a data model of the Virtual Observatory; "" for none.
        xtype: The VOTable xtype of a text; "" for none.
    """

    name: str
    type: str
    unit: str = ""
    ucd: str = ""
    about: str = ""
    utype: str = ""
    xtype: str = ""

    @property
    def sql_type(self) -> str:
        """Its type in DuckDB."""
        return _SQL[self.type]


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        name: Its name.
        about: What a row is.
        columns: Its columns.
        key: The key columns of a row.
        of_revision: Whether each row belongs to one revision, with the columns transient, revision and is_latest.
        view: The SQL of a view; "" if it is stored.
    """

    name: str
    about: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    of_revision: bool
    view: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column | None:
        """Return a column, or None if it does not exist."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def ddl(self) -> str:
        """The statement that creates it."""
        if self.view:
            return f"CREATE VIEW {self.name} AS {self.view}"
        return f"CREATE TABLE {self.name} ({', '.join(f'{each.name} {each.sql_type}' for each in self.columns)})"


@dataclass(frozen=True)
class Tables(Mapping[str, Table]):
    """All tables by name.

    Attributes:
        order: The order of the HEALPix cells in the columns `healpix`, NESTED.
        version: The version of these tables: an index with another version must be rebuilt.
    """

    by_name: Mapping[str, Table]
    order: int
    version: str

    def __getitem__(self, name: str) -> Table:
        return self.by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_name)

    def __len__(self) -> int:
        return len(self.by_name)


@cache
def tables() -> Tables:
    """Return the tables of this version of blastgit."""
    data = _FILE.read_bytes()
    loaded = load_yaml(data, str(_FILE))
    shared = tuple(_columns(loaded["revision_columns"]))
    found: dict[str, Table] = {}
    for name, said in loaded["tables"].items():
        if "like" in said:
            found[name] = replace(found[said["like"]], name=name, about=said["about"], key=tuple(said["key"]),
                                  view=said["view"])  # fmt: skip
            continue
        of_revision = said.get("of") == "revision"
        columns = (*(shared if of_revision else ()), *_columns(said["columns"]))
        found[name] = Table(name, said["about"], columns, tuple(said["key"]), of_revision, said.get("view", ""))
    return Tables(found, loaded["order"], f"{_CODE_VERSION}-{hashlib.sha256(data).hexdigest()[:16]}")


def _columns(said: Mapping[str, Mapping[str, Any]]) -> Iterator[Column]:
    for name, facts in said.items():
        rest = {key: value for key, value in facts.items() if key != "percentiles"}
        if not facts.get("percentiles"):
            yield Column(name, **rest)
            continue
        for percentile in _PERCENTILES:
            about = f"{facts['about']}; percentile {percentile}"
            yield Column(f"{name}_{percentile}", **{**rest, "about": about})
