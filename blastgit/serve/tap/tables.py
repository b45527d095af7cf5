"""The tables of the service: those of the index, ObsCore and TAP_SCHEMA; and the VOTable types of their columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from blastgit.index.tables import Column, tables
from blastgit.safe_yaml import load_shipped

_RESERVED = {"size"}
_TYPES = {
    "text": ("unicodeChar", "*", ""),
    "integer": ("int", "", ""),
    "bigint": ("long", "", ""),
    "double": ("double", "", ""),
    "boolean": ("boolean", "", ""),
    "timestamp": ("char", "*", "timestamp"),
}


@dataclass(frozen=True, slots=True)
class Datatype:
    """The VOTable type of a column.

    Attributes:
        name: The type of one value.
        arraysize: "*" for text of any length, "" for a single value.
        xtype: The meaning of a formatted text, such as `timestamp`.
    """

    name: str
    arraysize: str
    xtype: str

    @classmethod
    def of(cls, column: Column) -> Datatype:
        """Return the type of a column."""
        name, arraysize, xtype = _TYPES[column.type]
        return cls(name, arraysize, column.xtype or xtype)


@dataclass(frozen=True, slots=True)
class Key:
    """A foreign key.

    Attributes:
        source: The table that refers.
        target: The table that is referred to.
        pairs: The pairs of columns, of the source and of the target.
    """

    source: str
    target: str
    pairs: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """The identifier of the key."""
        return f"{self.source}.{'-'.join(source for source, _ in self.pairs)}"


@dataclass(frozen=True, slots=True)
class ServedTable:
    """One table of the service.

    Attributes:
        schema: Its schema.
        name: Its name in the schema.
        about: A description of its rows.
        columns: Its columns.
        is_view: Whether it is a view of other tables.
        utype: Its utype in a data model.
    """

    schema: str
    name: str
    about: str
    columns: tuple[Column, ...]
    is_view: bool = False
    utype: str = ""

    @property
    def full_name(self) -> str:
        """Its name in a query."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Served:
    """All tables of the service.

    Attributes:
        schemas: The description of each schema.
        tables: The tables.
        keys: The foreign keys between them.
    """

    schemas: Mapping[str, str]
    tables: tuple[ServedTable, ...]
    keys: tuple[Key, ...]

    def of(self, schema: str) -> list[ServedTable]:
        """Return the tables of a schema."""
        return [table for table in self.tables if table.schema == schema]

    @cached_property
    def columns(self) -> Mapping[str, tuple[Column, ...]]:
        """The columns of each table by its full name in lower case; tables of the index also without the schema."""
        full = {table.full_name.lower(): table.columns for table in self.tables}
        return {**{table.name: table.columns for table in self.of("blastgit")}, **full}


def spelled(name: str) -> str:
    """Return the name of a column as it is written in a query: in quotes if it is a reserved word of ADQL."""
    return f'"{name}"' if name in _RESERVED else name


@cache
def served() -> Served:
    """Return the tables that this version of blastgit serves."""
    loaded = load_shipped(__file__, "schema.yaml")
    found = [
        ServedTable("blastgit", table.name, table.about, table.columns, bool(table.view)) for table in tables().values()
    ]
    obscore = loaded["obscore"]
    utype = "ivo://ivoa.net/std/ObsCore#core-1.1"
    found.append(ServedTable("ivoa", "ObsCore", obscore["about"], _columns(obscore), is_view=True, utype=utype))
    found += [
        ServedTable("tap_schema", name, said["about"], _columns(said)) for name, said in loaded["tap_schema"].items()
    ]
    return Served(loaded["schemas"], tuple(found), tuple(_keys()))


def _keys() -> Iterator[Key]:
    for table in tables().values():
        if table.of_revision and table.name not in ("revisions", "transients"):
            same = (("transient", "transient"), ("revision", "revision"))
            yield Key(f"blastgit.{table.name}", "blastgit.revisions", same)
    for source, from_column, target, column in (
        ("blastgit.members", "collection", "blastgit.collections", "collection"),
        ("blastgit.cutouts", "filter", "blastgit.filters", "filter"),
        ("tap_schema.tables", "schema_name", "tap_schema.schemas", "schema_name"),
        ("tap_schema.columns", "table_name", "tap_schema.tables", "table_name"),
        ("tap_schema.keys", "from_table", "tap_schema.tables", "table_name"),
        ("tap_schema.keys", "target_table", "tap_schema.tables", "table_name"),
        ("tap_schema.key_columns", "key_id", "tap_schema.keys", "key_id"),
    ):
        yield Key(source, target, ((from_column, column),))


def _columns(said: Mapping[str, Any]) -> tuple[Column, ...]:
    return tuple(Column(name, **facts) for name, facts in said["columns"].items())
