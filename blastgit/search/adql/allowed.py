"""The syntax that ADQL allows: anything else that the parser accepts is refused, so that it never reaches DuckDB."""

from __future__ import annotations

from sqlglot import exp

from blastgit.search.adql.functions import FUNCTIONS
from blastgit.search.adql.mistakes import in_node
from blastgit.search.adql.shapes import GEOMETRY

_AGGREGATES = {"AVG": (1, 1), "COUNT": (1, 1), "MAX": (1, 1), "MIN": (1, 1), "SUM": (1, 1)}
_QUERIES = (
    exp.Select, exp.Subquery, exp.Union, exp.Except, exp.Intersect, exp.With, exp.CTE, exp.From, exp.Join, exp.Table,
    exp.TableAlias, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct,
)  # fmt: skip
_VALUES = (
    exp.Identifier, exp.Column, exp.Star, exp.Alias, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Tuple,
    exp.Case, exp.If, exp.Cast, exp.DataType, exp.DataTypeParam, exp.Anonymous, exp.Exists, exp.Any, exp.All, exp.Neg,
)  # fmt: skip
_OPERATORS = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.DPipe, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.And, exp.Or,
    exp.Not, exp.Like, exp.ILike, exp.In, exp.Between, exp.Is, exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseNot,
)  # fmt: skip
_ALLOWED = {*_QUERIES, *_VALUES, *_OPERATORS}
_TYPES = {"SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "CHAR", "VARCHAR", "TIMESTAMP", "DATE"}


def check(tree: exp.Expr) -> None:
    """Check that a query uses only ADQL.

    Raises:
        InvalidQuery: It uses something else.
    """
    for node in tree.walk():
        if type(node) not in _ALLOWED:
            raise in_node(node, f"ADQL has no such thing as this ({node.key})")
        if isinstance(node, exp.Anonymous):
            _check_function(node)
        elif isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
            raise in_node(node, "FROM takes tables and queries, and nothing else")
        elif isinstance(node, exp.Star | exp.Group) and any(
            value for name, value in node.args.items() if name != "expressions"
        ):
            raise in_node(node.parent or node, f"ADQL has no more to say after {'*' if node.is_star else 'GROUP BY'}")
        elif isinstance(node, exp.Column) and node.catalog:
            raise in_node(node, "a column is named as SCHEMA.TABLE.COLUMN at most")
        elif isinstance(node, exp.With) and node.args.get("recursive"):
            raise in_node(node, "a query that asks itself (WITH RECURSIVE) is not allowed here")
        elif isinstance(node, exp.DataType) and node.this.name not in _TYPES:
            raise in_node(node.parent or node, f"there is no CAST to {node.this.name}")
        elif isinstance(node, exp.Limit | exp.Offset) and not _is_count(node):
            raise in_node(node.parent or node, "TOP and OFFSET take a whole number of rows, and no more")


def _is_count(node: exp.Limit | exp.Offset) -> bool:
    rest = (value for name, value in node.args.items() if name != "expression")
    return node.expression.is_int and not any(rest)


def _check_function(node: exp.Anonymous) -> None:
    name = node.name.upper()
    counts = _AGGREGATES.get(name) or GEOMETRY.get(name) or (FUNCTIONS[name].counts if name in FUNCTIONS else None)
    if counts is None or isinstance(node.this, exp.Identifier):
        known = ", ".join(sorted({*_AGGREGATES, *GEOMETRY, *FUNCTIONS}))
        raise in_node(node, f"there is no such function in ADQL; there are {known}")
    least, most = counts
    if not least <= len(node.expressions) <= most:
        count = f"{least}" if least == most else f"{least} to {most}" if most < 100 else f"{least} or more"
        raise in_node(node, f"{name} takes {count} values, not {len(node.expressions)}")
