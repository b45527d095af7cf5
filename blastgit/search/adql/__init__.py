"""ADQL, the query language of the Virtual Observatory: translate it to SQL that DuckDB runs on the index."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from blastgit.index.tables import Column, tables

__all__ = ["describe", "translate"]


def translate(text: str, beside: Collection[str] = (), views: str | None = None) -> str:
    """Translate a query in ADQL 2.0 or 2.1 to DuckDB's SQL.

    Args:
        text: The query.
        beside: The full names of tables that it may use besides those of the index: `ivoa.ObsCore`.
        views: The database whose views are read instead of the index's own tables, or None.

    Raises:
        InvalidQuery: It is not ADQL, or does more than read; the error gives line, column and word.
        RepoError: sqlglot is not installed.
    """
    from blastgit.index.library import need

    need("sqlglot")
    from blastgit.search.adql.translation import translated

    return translated(text, tables(), beside, views)


def describe(
    text: str, columns: Sequence[Column], known: Mapping[str, Sequence[Column]] | None = None
) -> Sequence[Column]:
    """Return the columns of a query's result, with units, UCDs and descriptions derived from the query.

    Args:
        text: The query, which was translated and answered.
        columns: The names and types of the columns.
        known: The columns of each table, by its full name in lower case and by its bare name if that is unambiguous;
            by default those of the index.
    """
    from blastgit.index.lineage import described
    from blastgit.search.adql.dialect import parse
    from blastgit.search.adql.sources import columns_of

    return described(parse(text), columns_of(tables()) if known is None else known, columns)
