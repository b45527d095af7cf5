"""Which tables a query may name: those that there are, and what it defines by WITH; nothing of DuckDB's own."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import exp

from blastgit.index.tables import Tables
from blastgit.naming.nearest import did_you_mean
from blastgit.search.adql.mistakes import in_node
from blastgit.search.adql.sources import SCHEMA, defined, is_ours


def check_tables(tree: exp.Expr, known: Tables, beside: Collection[str] = ()) -> None:
    """Check that all tables are ours; DuckDB has views of itself, which say where its files lie.

    Args:
        tree: The query.
        known: The tables of the index.
        beside: What there is beside these: `ivoa.ObsCore`.

    Raises:
        InvalidQuery: One is not.
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
