"""The index opened for reading: one SQL query at a time, which can reach nothing but the tables, and not for ever."""

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
"""What the database is called inside a connection."""

_TEXT_LIMIT = 100_000  # characters of a query
_BATCH = 10_000  # rows that are taken from DuckDB at once
_CONFIG = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # or a query could name a variable of the program
    "temp_directory": "",  # a query that needs more than its memory fails, and does not fill a disk
}
_TYPES = {"VARCHAR": "text", "INTEGER": "integer", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean",
          "TIMESTAMP": "timestamp", "SMALLINT": "integer", "TINYINT": "integer", "FLOAT": "double", "HUGEINT": "double",
          "TIMESTAMP WITH TIME ZONE": "timestamp"}  # fmt: skip

Params = Sequence[object] | Mapping[str, object]
"""What stands for `?`, or for `$name`, in a query."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a query may take.

    Attributes:
        seconds: How long it may run.
        memory: Bytes that it may use.
        rows: How many rows it may return; more are left off, and the result says so.
    """

    seconds: float = 60.0
    memory: int = 2_000_000_000
    rows: int = 1_000_000


@dataclass(frozen=True)
class Result:
    """What a query returned.

    Attributes:
        columns: Each column; unit, UCD and description follow from what it is computed from, not from its name.
        rows: The rows: text, numbers, truth values, `datetime` in UTC without a zone, None.
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
        """Return each row as an object whose keys are the columns."""
        names = [column.name for column in plain(self.columns)]
        return [dict(zip(names, map(_plain, row), strict=True)) for row in self.rows]


class OpenIndex:
    """An index that is open for reading; the file may be replaced meanwhile, this still reads what it was.

    with repo.index.open() as db:
        result = db.query("SELECT dataset, redshift FROM transients WHERE redshift > ?", [0.1])
        result.columns[1].ucd  # "src.redshift"
        result.rows            # [("2026dgt@1", 0.13), …]

    One thread at a time may use an object; as many as you like may be open.

    Attributes:
        limits: What a query may take.
        updated: What was done to bring it up to date when it was opened; None if it was opened as it was.
    """

    def __init__(
        self, path: Path, limits: Limits = Limits(), updated: Updated | None = None, prepare: Sequence[str] = ()
    ) -> None:
        """Open the file of an index.

        Args:
            path: The file.
            limits: What a query may take.
            updated: What was done to bring it up to date.
            prepare: SQL that is run before nothing but reading is possible.

        Raises:
            RepoError: It is none, or damaged.
        """
        self.limits = limits
        self.updated = updated
        self._connection = connect(path, limits.memory, prepare)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def query(self, sql: str, params: Params = (), *, limits: Limits | None = None) -> Result:
        """Return the rows of one SELECT.

        Args:
            sql: The query, in DuckDB's SQL.
            params: What its `?` or `$name` stand for.
            limits: How long it may take and what it may return, if not what the index was opened with.

        Raises:
            InvalidQuery: It is no SQL, does more than read, or asks for what is not there.
            OverLimit: It takes longer or needs more memory than allowed.
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

        Of the columns just names and types are known.
        What the caller does with them counts as the query's time; a limit of rows is the caller's to keep.

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
        """Return the rows of one SELECT as an Arrow table, all of them: for many rows, and for numpy and pandas.

        Raises:
            InvalidQuery: See `query`.
            OverLimit: See `query`.
        """
        with self._running(self.limits):
            return self._connection.sql(self._checked(sql), params=params or None).to_arrow_table()

    def _checked(self, sql: str) -> duckdb.Statement:
        """Return the one statement of a text, if it is one that only reads."""
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
    """Return a connection that can read an index and do nothing else.

    The file is attached to a database in memory: DuckDB would otherwise hand out the file that it has open under the
    same path, though another has taken its place.

    Args:
        path: The file of the index.
        memory: Bytes that queries may use.
        prepare: SQL that is run before nothing but reading is possible.

    Raises:
        RepoError: It is no index, or damaged.
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
    """Return columns with what follows for them from a query; no more than they are where there is no parser."""
    try:
        from blastgit.index.lineage import described_sql
    except ImportError:
        return columns
    return described_sql(sql, _known(), columns)


def _known() -> dict[str, Sequence[Column]]:
    """Return the columns of the tables by all names that these have in a query."""
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
