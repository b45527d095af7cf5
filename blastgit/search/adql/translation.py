"""Translate a query from ADQL to DuckDB's SQL."""

from __future__ import annotations

from collections.abc import Collection

from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from blastgit.errors import InvalidInput, InvalidQuery
from blastgit.index.tables import Tables
from blastgit.search.adql import functions, geometry
from blastgit.search.adql.allowed import check
from blastgit.search.adql.dialect import parse
from blastgit.search.adql.mistakes import in_node
from blastgit.search.adql.reachable import check_tables
from blastgit.search.adql.shapes import GEOMETRY, Shapes
from blastgit.search.adql.sources import Sources, name_fully


def translated(text: str, known: Tables, beside: Collection[str] = (), views: str | None = None) -> str:
    """Return the SQL of a query; see `translate`.

    Args:
        text: The query.
        known: The tables of the index.
        beside: Other tables that it may use.
        views: The database whose views are read instead, or None.

    Raises:
        InvalidQuery: It is not ADQL.
    """
    try:
        return _translated(text, known, beside, views)
    except RecursionError:
        raise InvalidQuery("the query is too deep: brackets, queries or operators inside each other") from None
    except SqlglotError as error:
        raise InvalidQuery(f"the query cannot be understood: {str(error).splitlines()[0]}") from None
    except InvalidInput as error:
        raise InvalidQuery(str(error)) from None


def _translated(text: str, known: Tables, beside: Collection[str], views: str | None) -> str:
    tree = parse(text)
    check(tree)
    _name_columns(tree)
    shapes = Shapes(Sources(tree, known))
    for node in reversed(list(tree.walk(bfs=True))):  # parts before what they are parts of
        if isinstance(node, exp.Anonymous):
            functions.write(node, known)
        elif isinstance(node, exp.Literal):
            functions.write_number(node)
        try:
            geometry.write(node, shapes)
        except InvalidInput as error:
            raise in_node(node, str(error)) from None
    geometry.refuse_shapes(tree)
    check_tables(tree, known, beside)
    if views is None:
        name_fully(tree)
    else:
        name_fully(tree, views, known)
    _bracket(tree)
    return tree.sql("duckdb", identify=True, comments=False, unsupported_level=ErrorLevel.RAISE)


def _name_columns(tree: exp.Expr) -> None:
    """Name unnamed columns with a geometry function: DuckDB would name them by the whole SQL expression."""
    for select in tree.find_all(exp.Select):
        for value in select.expressions:
            found = None if isinstance(value, exp.Alias) else value.find(exp.Anonymous)
            if found is not None and any(each.name.upper() in GEOMETRY for each in value.find_all(exp.Anonymous)):
                value.replace(exp.alias_(value.copy(), found.name.lower(), quoted=True))


def _bracket(tree: exp.Expr) -> None:
    """Put brackets around queries with TOP within UNION and the like: in SQL, LIMIT would apply to the whole."""
    for joined in list(tree.find_all(exp.SetOperation)):
        for part in (joined.this, joined.expression):
            if isinstance(part, exp.Select) and any(part.args.get(each) for each in ("limit", "order", "offset")):
                part.replace(exp.Subquery(this=part.copy()))
