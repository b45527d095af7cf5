"""Query the index: one SQL query at a time, which can read only the tables, and within limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from blastgit.errors import InvalidQuery, OverLimit, RepoError
from blastgit.index.arithmetic import make_undefined_null
from blastgit.index.deadline import deadline
from blastgit.index.described import Described, plain
from blastgit.index.library import need, silence
from blastgit.index.query_errors import explain
from blastgit.index.tables import Column, tables
from blastgit.index.write import DamagedIndex, is_damage

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from blastgit.index.build import Updated

NAME = "blast"
"""The name of the database inside a connection."""

_TEXT_LIMIT = 100_000  # most characters of a query
_BATCH = 10_000  # rows fetched from DuckDB at once
_CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # else a query could read a variable of the program
    "temp_directory": "",  # a query that needs more than its memory fails instead of filling a disk
}
_TYPES = {"VARCHAR": "text", "INTEGER": "integer", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean",
          "TIMESTAMP": "timestamp", "SMALLINT": "integer", "TINYINT": "integer", "FLOAT": "double", "HUGEINT": "double",
          "TIMESTAMP WITH TIME ZONE": "timestamp"}  # fmt: skip

Params = Sequence[object] | Mapping[str, object]
"""The values for `?` or `$name` in a query."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a query.

    Attributes:
        seconds: How long it may run.
        memory: How many bytes it may use.
        rows: How many rows it may return; more are cut off, which the result states.
    """

    seconds: float = 60.0
    memory: int = 2_000_000_000
    rows: int = 1_000_000


@dataclass(frozen=True)
class Result:
    """The result of a query.

    Attributes:
        columns: The columns; unit, UCD and description are derived from the query, not from the names.
        rows: The rows: text, numbers, booleans, `datetime` in UTC without a zone, None.
        is_cut: Whether there were more rows than the limits allow.
    """

    columns: Sequence[Column]
    rows: list[tuple[Any, ...]]
    is_cut: bool = False

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def to_json(self) -> list[dict[str, Any]]:
        """Return each row as an object with the columns as keys."""
        names = [column.name for column in plain(self.columns)]
        return [dict(zip(names, map(_plain, row), strict=True)) for row in self.rows]


class OpenIndex:
    """An index opened for reading; if the file is replaced meanwhile, it still reads the old one.

    with repo.index.open() as db:
        result = db.query("SELECT dataset, redshift FROM transients WHERE redshift > ?", [0.1])
        result.columns[1].ucd  # "src.redshift"
        result.rows            # [("2026dgt@1", 0.13), …]

    An object may be used by one thread at a time; any number of them may be open.

    Attributes:
        limits: The limits of queries.
        updated: The result of updating it when it was opened; None if it was opened as it was.
    """

    def __init__(
        self, path: Path, limits: Limits = Limits(), updated: Updated | None = None, prepare: Sequence[str] = ()
    ) -> None:
        """Open the file of an index.

        Args:
            path: The file.
            limits: The limits of queries.
            updated: The result of updating it.
            prepare: SQL to run before the connection is made read-only.

        Raises:
            RepoError: It is not an index, or damaged.
        """
        self.limits = limits
        self.updated = updated
        self._connection = connect(path, limits.memory, prepare)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def query(self, sql: str, params: Params = (), *, limits: Limits | None = None) -> Result:
        """Return the rows of one SELECT.

        Args:
            sql: The query, in DuckDB's SQL.
            params: The values for its `?` or `$name`.
            limits: The limits, if other than those of the open index.

        Raises:
            InvalidQuery: It is not SQL, does more than read, or names an unknown table or column.
            OverLimit: It takes more time or memory than allowed.
            DamagedData: The file of the index is damaged.
        """
        chosen = limits or self.limits
        with self.streaming(sql, params, limits=chosen) as (columns, found):
            rows = list(islice(found, chosen.rows + 1))
        described = Described(columns, lambda found: _by_lineage(sql, found))
        return Result(described, rows[: chosen.rows], len(rows) > chosen.rows)

    @contextmanager
    def streaming(
        self, sql: str, params: Params = (), *, limits: Limits | None = None
    ) -> Iterator[tuple[tuple[Column, ...], Iterator[tuple[Any, ...]]]]:
        """Yield the columns of one SELECT and all its rows, which need not fit into memory together.

        The columns have only names and types. The time that the caller takes counts as the query's; the limit of rows
        is not applied.

        Raises:
            InvalidQuery: See `query`.
            OverLimit: See `query`.
            DamagedData: See `query`.
        """
        with self._running(limits or self.limits):
            cursor = self._connection.execute(self._checked(sql), params or None)
            columns = tuple(_column(name, str(type_)) for name, type_, *_ in cursor.description or ())
            yield columns, chain.from_iterable(iter(lambda: cursor.fetchmany(_BATCH), []))

    def arrow(self, sql: str, params: Params = ()) -> pa.Table:
        """Return all rows of one SELECT as an Arrow table, for many rows, and for numpy and pandas.

        Raises:
            InvalidQuery: See `query`.
            OverLimit: See `query`.
        """
        with self._running(self.limits):
            return self._connection.sql(self._checked(sql), params=params or None).to_arrow_table()

    def _checked(self, sql: str) -> duckdb.Statement:
        """Return the statement of a text, if it is a single one that only reads."""
        if len(sql) > _TEXT_LIMIT:
            raise InvalidQuery(f"the query has {len(sql):,} characters, more than the {_TEXT_LIMIT:,} allowed")
        if not sql.isascii() and any("\ud800" <= each <= "\udfff" for each in sql):
            raise InvalidQuery("the query is not Unicode text")
        found = self._connection.extract_statements(sql)
        if len(found) != 1:
            raise InvalidQuery(f"one query at a time: the text has {len(found)} statements")
        if found[0].type.name not in ("SELECT", "EXPLAIN"):
            raise InvalidQuery(f"the index is for reading: write a SELECT, not {found[0].type.name}")
        return found[0]

    @contextmanager
    def _running(self, limits: Limits) -> Iterator[None]:
        import duckdb

        try:
            with deadline(self._connection, limits.seconds):
                yield
        except duckdb.InterruptException:
            raise OverLimit(f"the query took longer than {limits.seconds:g} s and was stopped") from None
        except (duckdb.OutOfMemoryException, MemoryError):
            raise OverLimit(f"the query needs more than the {limits.memory / 1e9:g} GB of memory allowed") from None
        except duckdb.Error as error:
            if is_damage(error):
                raise DamagedIndex("the index is damaged: run `blastgit index --rebuild`") from None
            raise InvalidQuery(explain(error)) from None


def connect(path: Path, memory: int, prepare: Sequence[str] = ()) -> duckdb.DuckDBPyConnection:
    """Return a connection that can only read an index.

    The file is attached to a database in memory: otherwise DuckDB would reuse a file that it has open under the same
    path, even if another has replaced it.

    Args:
        path: The file of the index.
        memory: How many bytes queries may use.
        prepare: SQL to run before the connection is made read-only.

    Raises:
        RepoError: It is not an index, or damaged.
    """
    need("duckdb")
    import duckdb

    connection = duckdb.connect(":memory:", config={**_CONFIG, "memory_limit": f"{memory}B"})
    try:
        silence(connection)
        make_undefined_null(connection)
        quoted = str(path).replace("'", "''")
        connection.execute(f"ATTACH '{quoted}' AS {NAME} (READ_ONLY)")
        for statement in (
            *prepare,
            f"USE {NAME}",
            "SET enable_external_access = false",
            "SET lock_configuration = true",
        ):
            connection.execute(statement)
    except duckdb.Error as error:
        connection.close()
        raise RepoError(f"the index {path} cannot be opened: {explain(error)}") from None
    return connection


def _column(name: str, type_: str) -> Column:
    kind = _TYPES.get(type_, "double" if type_.startswith("DECIMAL") else "bigint" if "INT" in type_ else "text")
    return Column(name, kind)


def _by_lineage(sql: str, columns: Sequence[Column]) -> Sequence[Column]:
    """Return columns with descriptions derived from the query; unchanged if the parser is not installed."""
    try:
        from blastgit.index.lineage import described_sql
    except ImportError:
        return columns
    return described_sql(sql, _known(), columns)


def _known() -> dict[str, Sequence[Column]]:
    """Return the columns of the tables, by each name that a query may use for the table."""
    before = ("", "main.", f"{NAME}.", f"{NAME}.main.")
    return {f"{prefix}{name}": table.columns for name, table in tables().items() for prefix in before}


def _plain(value: object) -> object:
    from datetime import date, datetime
    from decimal import Decimal
    from math import isfinite

    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return str(value) if isinstance(value, date | bytes) else value
