"""Check a saved query by running it on an empty index, where it can read nothing and takes little time."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from blastgit.errors import InvalidQuery
from blastgit.index.deadline import deadline
from blastgit.index.query_errors import explain
from blastgit.search.saved.text import Query

if TYPE_CHECKING:
    import duckdb

_SECONDS, _MEMORY = 10.0, "1GB"
_FIRST = ("select", "with", "from", "values", "(")
_ANY: dict[str, Any] = {"text": "", "integer": 0, "double": 0.0, "boolean": False, "timestamp": "2026-01-01"}


def check_sql(query: Query) -> None:
    """Check that a query is one SELECT from the tables of the index, with the parameters that it declares.

    Without DuckDB, as on a server that only receives pushes, only the first word is checked. That is safe, since
    queries are run where they can read nothing but the tables.

    Raises:
        InvalidQuery: It is not.
    """
    if not query.body.lower().startswith(_FIRST):
        raise InvalidQuery(f"the query {query.name} should be a SELECT")
    if find_spec("duckdb") is None:
        return
    import duckdb

    with duckdb.connect(":memory:", config={"memory_limit": _MEMORY}) as connection:
        _make(connection)
        try:
            with deadline(connection, _SECONDS):
                _try(connection, query)
        except duckdb.InterruptException:
            raise InvalidQuery(
                f"the query {query.name} takes longer than {_SECONDS:g} s before it reads a row"
            ) from None
        except duckdb.Error as error:
            raise InvalidQuery(f"the query {query.name} cannot be asked: {explain(error)}") from None


def _make(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables, then disable access to anything else."""
    from blastgit.index.arithmetic import make_undefined_null
    from blastgit.index.tables import tables

    make_undefined_null(connection)
    for table in tables().values():
        connection.execute(table.ddl)
    for setting in ("autoinstall_known_extensions", "autoload_known_extensions", "enable_external_access"):
        connection.execute(f"SET {setting} = false")
    connection.execute("PRAGMA disable_optimizer")  # it would evaluate `repeat('x', 1e10)` for EXPLAIN
    connection.execute("SET lock_configuration = true")


def _try(connection: duckdb.DuckDBPyConnection, query: Query) -> None:
    within = f"SELECT * FROM (\n{query.body}\n) AS saved LIMIT 0"  # noqa: S608 (it must also work as a subquery)
    for text in (query.body, within):
        found = connection.extract_statements(text)
        if len(found) != 1:
            raise InvalidQuery(f"the query {query.name} should be one statement, not {len(found)}")
        if found[0].type.name != "SELECT":
            raise InvalidQuery(f"the query {query.name} should be a SELECT, not {found[0].type.name}")
        _check_parameters(query, found[0].named_parameters)
        given = {name: _ANY[each.type] if each.default is None else each.default
                 for name, each in query.parameters.items()}  # fmt: skip
        connection.execute(f"EXPLAIN {text}", given or None)


def _check_parameters(query: Query, used: set[str]) -> None:
    undeclared, unused = sorted(used - query.parameters.keys()), sorted(query.parameters.keys() - used)
    if undeclared:
        raise InvalidQuery(
            f"the query {query.name} uses ${undeclared[0]}, which its `parameters` do not declare"
            if undeclared[0].isidentifier()
            else f"the query {query.name} uses `?`: give the parameter a name, and declare it"
        )
    if unused:
        raise InvalidQuery(f"the query {query.name} declares {unused[0]}, and ${unused[0]} does not occur in it")
