"""ADQL, the query language of the Virtual Observatory: its text becomes SQL that DuckDB answers from the index."""

from __future__ import annotations

from blastgit.index.tables import Tables, tables

__all__ = ["translate"]


def translate(text: str, known: Tables | None = None) -> str:
    """Return a query in ADQL 2.0 or 2.1 as one in DuckDB's SQL.

    Args:
        text: The query.
        known: The tables, by whose columns `healpix` regions are looked up fast; by default those of the index.

    Raises:
        InvalidQuery: It is no ADQL, or does more than read; says in which line and column, and what stands there.
        RepoError: sqlglot is not installed.
    """
    from blastgit.index.library import need

    need("sqlglot")
    from blastgit.adql.translation import translated

    return translated(text, known or tables())
