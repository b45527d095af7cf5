"""Check the tables of a query: those of the index and those it defines by WITH, but none of DuckDB's own."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import exp

from blastgit.index.tables import Tables
from blastgit.naming.nearest import did_you_mean
from blastgit.search.adql.mistakes import in_node
from blastgit.search.adql.sources import SCHEMA, defined, is_ours


def check_tables(tree: exp.Expr, known: Tables, beside: Collection[str] = ()) -> None:
    """Check that all tables are ours: DuckDB's system views would reveal the paths of files.

    Args:
        tree: The query.
        known: The tables of the index.
        beside: Other tables that may be used: `ivoa.ObsCore`.

    Raises:
        InvalidQuery: A table is not ours.
    """
    others = {name.lower() for name in beside}
    for table in tree.find_all(exp.Table):
        name, full = table.name.lower(), f"{table.db}.{table.name}".lower()
        if is_ours(table) and (name in known or (not table.db and name in defined(table))):
            continue
        if table.catalog or full not in others:
            spelled = ".".join(part.name for part in table.parts)
            raise in_node(table.parts[-1], f"there is no table {spelled[:80]!r}{_near(full, [*known, *beside])}")


def _near(name: str, known: Collection[str]) -> str:
    return did_you_mean(name.removeprefix(".").removeprefix(f"{SCHEMA}."), known, f"there is {', '.join(known)}")
