"""ADQL, the query language of the Virtual Observatory: its text becomes SQL that DuckDB answers from the index."""

from __future__ import annotations

from collections.abc import Collection

from blastgit.index.tables import tables

__all__ = ["translate"]


def translate(text: str, beside: Collection[str] = ()) -> str:
    """Return a query in ADQL 2.0 or 2.1 as one in DuckDB's SQL.

    Args:
        text: The query.
        beside: The full names of tables that it may name beside those of the index: `ivoa.ObsCore`.

    Raises:
        InvalidQuery: It is no ADQL, or does more than read; says in which line and column, and what stands there.
        RepoError: sqlglot is not installed.
    """
    from blastgit.index.library import need

    need("sqlglot")
    from blastgit.search.adql.translation import translated

    return translated(text, tables(), beside)
