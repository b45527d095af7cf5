"""Find the table of a column, so that positions can be filtered by the table's column `healpix`."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlglot import exp

from blastgit.index.open_index import NAME
from blastgit.index.tables import Column, Table, Tables

SCHEMA = "blastgit"
"""The schema of the index's tables, for queries that name one."""

_RA, _DEC, _HEALPIX = "ra_deg", "dec_deg", "healpix"


def columns_of(known: Tables) -> dict[str, tuple[Column, ...]]:
    """Return the columns of the index's tables, by each name that a query may use for the table."""
    return {f"{prefix}{name}": each.columns for name, each in known.items() for prefix in ("", f"{SCHEMA}.")}


class Sources:
    """The tables that the queries of a text read."""

    def __init__(self, tree: exp.Expr, known: Tables) -> None:
        """Read the WITH clauses of a query."""
        self._known = known
        self._defined = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}

    def healpix(self, ra: exp.Expr, dec: exp.Expr) -> str:
        """Return the column with the HEALPix cell of a position, as SQL; "" if there is none."""
        ra, dec = ra.unnest(), dec.unnest()
        if not (isinstance(ra, exp.Column) and isinstance(dec, exp.Column)):
            return ""
        if (ra.name.lower(), dec.name.lower()) != (_RA, _DEC) or ra.table.lower() != dec.table.lower():
            return ""
        found = self._owner(ra, ra.table.lower())
        return f"{exp.to_identifier(found, quoted=True).sql('duckdb')}.{_HEALPIX}" if found else ""

    def _owner(self, column: exp.Column, qualifier: str) -> str:
        """Return the name of a column's table in its query, if it is one of ours with HEALPix cells."""
        select = column.parent_select
        while isinstance(select, exp.Select):
            tables = dict(self._tables(select))
            if "" in tables:
                return ""
            owners = [name for name, table in tables.items()
                      if (name == qualifier if qualifier else table is None or table.column(_RA))]  # fmt: skip
            if owners:
                table = tables[owners[0]]
                return owners[0] if len(owners) == 1 and table is not None and table.column(_HEALPIX) else ""
            select = select.parent_select
        return ""

    def _tables(self, select: exp.Select) -> Iterator[tuple[str, Table | None]]:
        """Yield the name of each table in a query, with the table if it is one of ours."""
        start = select.args.get("from_")
        sources = [start.this] if start is not None else []
        sources += [join.this for join in select.args.get("joins") or ()]
        while sources:
            source = sources.pop()
            sources += [join.this for join in source.args.get("joins") or ()]
            ours = isinstance(source, exp.Table) and is_ours(source) and source.name.lower() not in self._defined
            yield source.alias_or_name.lower(), self._known.get(source.name.lower()) if ours else None


def defined(table: exp.Table) -> set[str]:
    """Return the names defined by WITH that are in scope at a table: those of enclosing and earlier WITH clauses."""
    found: set[str] = set()
    node: exp.Expr = table
    while node.parent is not None:
        around = node.parent
        if isinstance(around, exp.With):
            before = around.expressions[: around.expressions.index(node)]
        else:
            of_query = around.args.get("with_")
            before = [] if of_query is None or of_query is node else of_query.expressions
        found |= {each.alias.lower() for each in before}
        node = around
    return found


def is_ours(table: exp.Table) -> bool:
    """Whether a table may belong to the index, by its schema."""
    return not table.catalog and table.db.lower() in ("", SCHEMA)


def name_fully(tree: exp.Expr, database: str = NAME, unqualified: Collection[str] = ()) -> None:
    """Replace the schema of the index's tables by their database and schema in DuckDB.

    Args:
        tree: The query.
        database: The database of the tables.
        unqualified: The tables to be qualified even if named without a schema.
    """
    for table in tree.find_all(exp.Table):
        is_bare = not table.db and table.name.lower() in unqualified and table.name.lower() not in defined(table)
        if not table.catalog and (table.db.lower() == SCHEMA or is_bare):
            table.set("db", exp.to_identifier("main"))
            table.set("catalog", exp.to_identifier(database))
    for column in tree.find_all(exp.Column):
        if column.args.get("db"):  # blastgit.transients.redshift
            column.set("db", None)
            column.set("catalog", None)
