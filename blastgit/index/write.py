"""Write to the file of an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import DamagedData, RepoError
from blastgit.index.library import need, silence
from blastgit.index.rows import Rows
from blastgit.index.tables import tables

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_STATE = (
    "CREATE SCHEMA state",
    "CREATE TABLE state.meta (key VARCHAR, value VARCHAR)",
    "CREATE TABLE state.branches (name VARCHAR, commit_id VARCHAR)",
    "CREATE TABLE state.collections (collection VARCHAR, blob VARCHAR)",
    "CREATE TABLE state.leaves (collection VARCHAR, position INTEGER, leaf VARCHAR)",
    "CREATE TABLE state.damaged (what VARCHAR, reason VARCHAR)",
)
"""Internal tables: the state from which the index was made."""


@contextmanager
def open_to_write(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open or create the file of an index for writing, before any reader can open it.

    Raises:
        RepoError: It cannot be written, or DuckDB is not installed.
        DamagedIndex: It is damaged.
    """
    need("duckdb")
    need("pyarrow")
    import duckdb

    try:
        with duckdb.connect(str(path), config={"autoinstall_known_extensions": "false"}) as connection:
            silence(connection)
            yield connection
    except duckdb.Error as error:
        if is_damage(error):
            raise DamagedIndex(f"the index {path} is damaged: {error}") from None
        raise RepoError(f"the index {path} cannot be written: {error}") from None


class DamagedIndex(DamagedData):
    """The file of an index is damaged. It can be rebuilt from the data repo."""

    kind = "damaged-index"


def is_damage(error: Exception) -> bool:
    """Whether an error of DuckDB means that the file is damaged."""
    import duckdb

    words = str(error).lower()
    if "no space left" in words or "could not write" in words:
        return False
    if isinstance(error, duckdb.SerializationException | duckdb.InternalException | duckdb.FatalException):
        return True
    is_corrupt = "corrupt" in words or "checksum" in words or "could not read" in words or "not a valid duckdb" in words
    return is_corrupt and not isinstance(error, duckdb.ProgrammingError | duckdb.DataError)  # these are about a query


def make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create all tables."""
    for statement in _STATE:
        connection.execute(statement)
    for table in tables().values():
        connection.execute(table.ddl)
        if not table.view:
            connection.execute(f"COMMENT ON TABLE {table.name} IS '{_quoted(table.about)}'")
    for table in tables().values():
        for column in () if table.view else table.columns:
            about = f"{column.about} [{column.unit}]" if column.unit else column.about
            connection.execute(f"COMMENT ON COLUMN {table.name}.{column.name} IS '{_quoted(about)}'")


def insert(connection: duckdb.DuckDBPyConnection, rows: Rows) -> None:
    """Add rows to their tables."""
    insert_arrow(connection, rows.to_arrow())


def insert_arrow(connection: duckdb.DuckDBPyConnection, found: Mapping[str, pa.Table]) -> None:
    """Add Arrow columns to their tables."""
    for name, columns in found.items():
        connection.register("incoming", columns)
        connection.execute(f"INSERT INTO {name} SELECT * FROM incoming")  # noqa: S608 (a name of ours)
        connection.unregister("incoming")


def read_meta(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the metadata of the index."""
    return dict(connection.execute("SELECT key, value FROM state.meta").fetchall())


def write_meta(connection: duckdb.DuckDBPyConnection, meta: Mapping[str, str]) -> None:
    """Replace the metadata of the index."""
    connection.execute("DELETE FROM state.meta")
    connection.executemany("INSERT INTO state.meta VALUES (?, ?)", [*map(list, meta.items())])


def _quoted(text: str) -> str:
    return text.replace("'", "''")
