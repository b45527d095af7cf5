"""Derive units, UCDs and descriptions of the columns of a query by parsing it.

A column of a table keeps its unit, UCD and description under any alias. A computed value has a unit if it can be
derived (the greatest of some fluxes is a flux), and a UCD if the standard has one for it (`phot.mag;stat.mean`). The
alias of an expression is never taken as a hint. What this module does not understand is not described.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from blastgit.index.tables import Column

Known = Mapping[str, Sequence[Column]]
"""The columns of each table, by its name in lower case with and without schema: `photometry`, `ivoa.obscore`."""

_AROUND = (exp.Alias, exp.Paren, exp.Window, exp.IgnoreNulls, exp.RespectNulls, exp.Filter)
_BEGINNINGS = ("select", "with", "from", "/*")
_NUMBER = ("integer", "bigint", "double")


@dataclass(frozen=True, slots=True)
class _Output:
    """A column of a query: its name ("" if DuckDB makes one up), and its description if known."""

    name: str
    what: Column | None = None


_Outputs = list[_Output] | None
"""The columns of a query or source; None if they are unknown."""


def described_sql(sql: str, known: Known, columns: Sequence[Column]) -> Sequence[Column]:
    """Return the columns of a result with their descriptions, derived from a query in DuckDB's SQL."""
    if not sql.lstrip("( \t\r\n").lower().startswith(_BEGINNINGS) and not sql.lstrip().startswith("--"):
        return columns  # EXPLAIN and the like, for which the parser would print warnings
    try:
        tree = parse_one(sql, dialect="duckdb")
    except (SqlglotError, RecursionError):
        return columns
    return described(tree, known, columns)


def described(tree: exp.Expr, known: Known, columns: Sequence[Column]) -> Sequence[Column]:
    """Return the columns of a result with their descriptions.

    Args:
        tree: The parsed query.
        known: The tables.
        columns: Names and types of the columns, as returned by DuckDB.
    """
    try:
        found = _outputs(tree, _Names(known))
    except RecursionError:
        found = None
    if found is None or len(found) != len(columns):
        return columns
    return [_described(column, output) for column, output in zip(columns, found, strict=True)]


def what_is(column: exp.Column, known: Known) -> Column | None:
    """Return the description of a column at its place in a query; None if it cannot be derived."""
    names, scope, node = _Names(known), None, column.parent
    around = []
    while node is not None:
        around.append(node)
        node = node.parent
    for query in reversed(around):
        if isinstance(query, exp.Query):
            names = names.before(query)
        if isinstance(query, exp.Select):
            scope = _Scope(query, names, scope)
    return None if scope is None else scope.column(column)


def _described(column: Column, output: _Output) -> Column:
    what = output.what
    if what is None or (output.name and output.name.lower() != column.name.lower()):
        return column
    if _kind(what) != _kind(column):  # CAST(flux AS VARCHAR) is a text
        return column
    return replace(what, name=column.name, type=column.type, xtype=what.xtype if what.type == column.type else "")


def _kind(column: Column) -> str:
    return "number" if column.type in _NUMBER else column.type


@dataclass(frozen=True)
class _Names:
    """The table names in scope at some place of a query."""

    tables: Known
    queries: Mapping[str, _Outputs] | None = None

    def named(self, table: exp.Table) -> _Outputs:
        """Return the columns of a table or of a query defined by WITH."""
        name, schema = table.name.lower(), table.db.lower()
        if not schema and self.queries and name in self.queries:
            return self.queries[name]
        path = ".".join(filter(None, (table.catalog.lower(), schema, name)))
        found = self.tables.get(path)
        return None if found is None else [_Output(column.name, column) for column in found]

    def before(self, query: exp.Expr) -> _Names:
        """Return the names in scope inside a query, including those of its WITH."""
        names = self
        for cte in getattr(query, "ctes", ()):
            inner = replace(names, queries={**(names.queries or {}), cte.alias.lower(): None})  # it may be recursive
            found = _renamed(_outputs(cte.this, inner), cte.alias_column_names)
            names = replace(names, queries={**(names.queries or {}), cte.alias.lower(): found})
        return names


def _outputs(query: exp.Expr, names: _Names, outer: _Scope | None = None) -> _Outputs:
    names = names.before(query)
    if isinstance(query, exp.Subquery | exp.Paren):
        return _outputs(query.this, names, outer)
    if isinstance(query, exp.SetOperation):
        return _joined(query, _outputs(query.this, names, outer), _outputs(query.expression, names, outer))
    if isinstance(query, exp.Select):
        return _Scope(query, names, outer).outputs()
    return None


def _joined(query: exp.SetOperation, left: _Outputs, right: _Outputs) -> _Outputs:
    """Return the columns of UNION and the like: what both sides have in common."""
    if left is None or query.args.get("by_name"):
        return None
    if right is None or len(right) != len(left):
        return [_Output(each.name) for each in left]
    return [_Output(one.name, _common([one.what, other.what])) for one, other in zip(left, right, strict=True)]


def _renamed(outputs: _Outputs, aliases: Sequence[str]) -> _Outputs:
    if outputs is None:
        return [_Output(alias) for alias in aliases] or None
    return [replace(each, name=aliases[i]) if i < len(aliases) else each for i, each in enumerate(outputs)]


@dataclass(frozen=True, slots=True)
class _Source:
    """One table of a FROM: its name there, its columns, and those that USING has merged with earlier ones."""

    name: str
    outputs: _Outputs
    merged: frozenset[str] = frozenset()
    is_filter: bool = False

    def column(self, name: str) -> _Output | None:
        return next((each for each in self.outputs or () if each.name.lower() == name), None)


class _Scope:
    """A SELECT: its sources, and the descriptions of its expressions."""

    def __init__(self, select: exp.Select, names: _Names, outer: _Scope | None) -> None:
        self._select = select
        self._names = names
        self._outer = outer
        self._sources = list(self._read_sources())
        self._aliases: dict[str, Column | None] = {}

    def outputs(self) -> _Outputs:
        found: list[_Output] = []
        for each in self._select.expressions:
            if each.is_star:
                star = self._star(each)
                if star is None:
                    return None
                found += star
                continue
            if isinstance(each, exp.Columns | exp.Unnest | exp.Explode):
                return None  # an unknown number of columns
            output = _Output(each.alias or (each.name if isinstance(each, exp.Column) else ""), self.what(each))
            if each.alias:
                self._aliases.setdefault(output.name.lower(), output.what)
            found.append(output)
        return found

    def _read_sources(self) -> Iterator[_Source]:
        start = self._select.args.get("from_")
        sources = [] if start is None else [start.this, *(start.this.args.get("joins") or ())]
        seen: set[str] = set()
        for each in [*sources, *(self._select.args.get("joins") or ())]:
            join = each if isinstance(each, exp.Join) else None
            source = self._source(each.this if join else each, join, seen)
            seen |= {output.name.lower() for output in source.outputs or ()}
            yield source

    def _source(self, node: exp.Expr, join: exp.Join | None, seen: set[str]) -> _Source:
        outputs = _renamed(self._columns_of(node), node.alias_column_names)
        merged: set[str] = set()
        if join is not None:
            merged = {each.name.lower() for each in join.args.get("using") or ()}
            if (join.args.get("method") or "").upper() == "NATURAL":
                merged = seen & {each.name.lower() for each in outputs or ()}
        kind = "" if join is None else f"{join.args.get('kind') or ''} {join.args.get('side') or ''}".upper()
        return _Source(node.alias_or_name.lower(), outputs, frozenset(merged), "SEMI" in kind or "ANTI" in kind)

    def _columns_of(self, node: exp.Expr) -> _Outputs:
        if node.args.get("pivots"):
            return None
        if isinstance(node, exp.Table):
            return self._names.named(node) if isinstance(node.this, exp.Identifier) else None
        if isinstance(node, exp.Subquery):
            return _outputs(node.this, self._names.before(node), self._outer)
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            return _outputs(node.this.this, self._names, self._outer)
        return None

    def _star(self, node: exp.Expr) -> _Outputs:
        star = node.this if isinstance(node, exp.Column) else node
        owner = node.table.lower() if isinstance(node, exp.Column) else ""
        if not isinstance(star, exp.Star):
            return None
        found: list[_Output] = []
        for source in self._sources:
            if source.is_filter or (owner and source.name != owner):
                continue
            if source.outputs is None:
                return None
            found += [each for each in source.outputs if owner or each.name.lower() not in source.merged]
        return self._changed(star, found) if found else None

    def _changed(self, star: exp.Star, found: list[_Output]) -> list[_Output]:
        """Apply EXCLUDE, REPLACE and RENAME of a star."""
        out = {each.name.lower() for each in star.args.get("except_") or ()}
        other = {each.alias.lower(): self.what(each) for each in star.args.get("replace") or ()}
        names = {each.this.name.lower(): each.alias for each in star.args.get("rename") or ()}
        return [
            _Output(names.get(each.name.lower(), each.name), other.get(each.name.lower(), each.what))
            for each in found
            if each.name.lower() not in out
        ]

    def column(self, node: exp.Column) -> Column | None:
        """Return the description of a column, from any source in scope."""
        name, owner = node.name.lower(), node.table.lower()
        sources = [source for source in self._sources if not owner or source.name == owner]
        found = [output for source in sources if (output := source.column(name)) is not None]
        if found:
            return (
                found[0].what
                if owner or any(name in source.merged for source in sources)
                else _common([each.what for each in found])
            )
        if any(source.outputs is None for source in sources):
            return None
        if not owner and name in self._aliases:
            return self._aliases[name]
        return None if self._outer is None else self._outer.column(node)

    def what(self, node: exp.Expr) -> Column | None:
        """Return the description of an expression; None if it cannot be derived."""
        while isinstance(node, _AROUND):
            node = node.this
        if isinstance(node, exp.Column):
            return self.column(node)
        if isinstance(node, exp.Subquery | exp.Select):
            found = _outputs(node, self._names, self)
            return found[0].what if found and len(found) == 1 else None
        return self._made(node)

    def _made(self, node: exp.Expr) -> Column | None:
        """Return the description of the result of an operator or a function."""
        if isinstance(node, exp.Cast):
            return self._cast(node)
        if isinstance(node, exp.Case):
            branches = [*(each.args["true"] for each in node.args["ifs"]), node.args.get("default")]
            return self._alike([each for each in branches if each is not None])
        if isinstance(node, exp.Neg):
            return _computed(self.what(node.this))
        if isinstance(node, exp.Add | exp.Sub):
            return _computed(self._alike([node.this, node.expression]))
        return self._call(*_called(node))

    def _cast(self, node: exp.Cast) -> Column | None:
        what = self.what(node.this)
        is_number = node.to.this in (*exp.DataType.NUMERIC_TYPES,)
        return what if what is not None and is_number and what.type in _NUMBER else None

    def _call(self, name: str, values: Sequence[exp.Expr]) -> Column | None:
        if name in _COUNTS:
            return Column("", "bigint", ucd="meta.number")
        if name in _ANGLES:
            unit, ucd = _ANGLES[name]
            return Column("", "double", unit, ucd)
        if name == "IN_UNIT" and len(values) == 2 and isinstance(values[1], exp.Literal):
            what = self.what(values[0])
            return None if what is None else replace(what, unit=values[1].name, about="")
        if name in _ALIKE and values:
            return self._alike(values)
        if name in _RULES and values:
            return _RULES[name](self.what(values[0]))
        return None

    def _alike(self, values: Sequence[exp.Expr]) -> Column | None:
        """Return what several expressions have in common, one of which is the result."""
        return _common([self.what(each) for each in values if not isinstance(each, exp.Null)])


def _called(node: exp.Expr) -> tuple[str, Sequence[exp.Expr]]:
    """Return the name and the arguments of a function; ADQL's functions keep their names."""
    if isinstance(node, exp.Anonymous):
        return node.name.upper(), node.expressions
    if isinstance(node, exp.Func):
        first = node.args.get("this")
        rest = node.args.get("expressions") or []
        return node.sql_name().upper(), [*([first] if isinstance(first, exp.Expr) else []), *rest]
    return "", ()


def _common(found: Sequence[Column | None]) -> Column | None:
    first = found[0] if found else None
    known = [each for each in found if each is not None]
    if first is None or len(known) < len(found):
        return None
    if all((each.unit, each.ucd, each.type) == (first.unit, first.ucd, first.type) for each in known):
        return first if all(each == first for each in known) else replace(first, about="", utype="", xtype="")
    return _computed(first) if len({each.unit for each in known}) == 1 else None


def _computed(what: Column | None) -> Column | None:
    """Return a column with the same unit, but without UCD and description."""
    return Column("", what.type, what.unit) if what is not None and what.unit and what.type in _NUMBER else None


def _same(what: Column | None) -> Column | None:
    """Return the description unchanged, for functions that return one of the values."""
    return what


def _statistic(word: str) -> Callable[[Column | None], Column | None]:
    """Return the rule for a statistic: it has the unit of the numbers, and `word` after their UCD."""

    def follow(what: Column | None) -> Column | None:
        if what is None or what.type not in _NUMBER:
            return None
        ucd = f"{what.ucd.replace(';meta.main', '')};{word}" if what.ucd and word else ""
        return Column("", "double", what.unit, ucd)

    return follow


_COUNTS = ("COUNT", "COUNT_IF", "COUNT_STAR", "APPROX_DISTINCT", "APPROX_COUNT_DISTINCT")
_ALIKE = ("COALESCE", "GREATEST", "LEAST", "IFNULL")
_RULES: Mapping[str, Callable[[Column | None], Column | None]] = {
    "MIN": _statistic("stat.min"), "MAX": _statistic("stat.max"), "MEDIAN": _statistic("stat.median"),
    **dict.fromkeys(("AVG", "MEAN"), _statistic("stat.mean")),
    **dict.fromkeys(("STDDEV", "STDDEV_SAMP", "STDDEV_POP"), _statistic("stat.stdev")),
    **dict.fromkeys(("SUM", "MAD", "PERCENTILE_CONT", "PERCENTILE_DISC", "QUANTILE", "APPROX_QUANTILE"),
                    _statistic("")),
    **dict.fromkeys(("ANY_VALUE", "FIRST", "LAST", "FIRST_VALUE", "LAST_VALUE", "NTH_VALUE", "LAG", "LEAD", "ARG_MAX",
                     "ARG_MIN", "MAX_BY", "MIN_BY", "MODE", "NULLIF"), _same),
    **dict.fromkeys(("ROUND", "TRUNC", "TRUNCATE", "FLOOR", "CEIL", "CEILING", "ABS"), _computed),
}  # fmt: skip
"""The rule for each function, applied to its first argument."""

_ANGLES: Mapping[str, tuple[str, str]] = {
    "DISTANCE": ("deg", "pos.angDistance"), "COORD1": ("deg", "pos.eq.ra"), "COORD2": ("deg", "pos.eq.dec"),
    "AREA": ("deg2", "phys.angArea"), "DEGREES": ("deg", ""), "RADIANS": ("rad", ""),
    **dict.fromkeys(("ACOS", "ASIN", "ATAN", "ATAN2"), ("rad", "")),
}  # fmt: skip
"""Functions that always return an angle: unit and UCD."""
