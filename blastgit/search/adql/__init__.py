"""ADQL, the query language of the Virtual Observatory: its text becomes SQL that DuckDB answers from the index."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from blastgit.index.tables import Column, tables

__all__ = ["describe", "translate"]


def translate(text: str, beside: Collection[str] = (), views: str | None = None) -> str:
    """Return a query in ADQL 2.0 or 2.1 as one in DuckDB's SQL.

    Args:
        text: The query.
        beside: The full names of tables that it may name beside those of the index: `ivoa.ObsCore`.
        views: The database whose views are read instead of the index's own tables; None for these.

    Raises:
        InvalidQuery: It is no ADQL, or does more than read; says in which line and column, and what stands there.
        RepoError: sqlglot is not installed.
    """
    from blastgit.index.library import need

    need("sqlglot")
    from blastgit.search.adql.translation import translated

    return translated(text, tables(), beside, views)


def describe(
    text: str, columns: Sequence[Column], known: Mapping[str, Sequence[Column]] | None = None
) -> Sequence[Column]:
    """Return the columns of a query's result with what follows for them from the query.

    Args:
        text: The query, which was translated and answered.
        columns: Their names and types.
        known: The columns of each table by its full name in small letters, and by its own where that will do; those of
            the index by default.
    """
    from blastgit.index.lineage import described
    from blastgit.search.adql.dialect import parse
    from blastgit.search.adql.sources import columns_of

    return described(parse(text), columns_of(tables()) if known is None else known, columns)
