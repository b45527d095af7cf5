"""ADQL's functions of numbers and texts, and their counterparts in DuckDB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from blastgit.index.lineage import what_is
from blastgit.index.tables import Tables
from blastgit.search.adql.mistakes import in_node
from blastgit.search.adql.sources import columns_of

_MANY = 1000


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes:
        sql: Its name in DuckDB, or a function that writes the SQL from the arguments.
        counts: The least and the greatest number of arguments.
    """

    sql: str | Callable[[list[str]], str]
    counts: tuple[int, int] = (1, 1)


def _truncate(values: list[str]) -> str:
    if len(values) == 1:
        return f"trunc({values[0]})"
    shift = f"pow(10, ({values[1]}))"
    return f"(trunc(({values[0]}) * {shift}) / {shift})"


FUNCTIONS = {
    **{name: Function(name.lower()) for name in ("ABS", "ACOS", "ASIN", "ATAN", "COS", "COT", "DEGREES", "EXP", "FLOOR",
                                                 "LOG10", "RADIANS", "SIN", "SQRT", "TAN", "LOWER", "UPPER")},
    "ATAN2": Function("atan2", (2, 2)),
    "CEILING": Function("ceil"),
    "COALESCE": Function("coalesce", (1, _MANY)),
    "IN_UNIT": Function("", (2, 2)),
    "LOG": Function("ln"),
    "MOD": Function("mod", (2, 2)),
    "PI": Function("pi", (0, 0)),
    "POWER": Function("pow", (2, 2)),
    "RAND": Function(lambda _: "random()", (0, 1)),  # an optional seed is ignored
    "ROUND": Function("round", (1, 2)),
    "TRUNCATE": Function(_truncate, (1, 2)),
}  # fmt: skip
"""By their names in ADQL."""

_DEGREE = {
    "deg": 1.0,
    "arcmin": 1 / 60,
    "arcsec": 1 / 3600,
    "mas": 1 / 3.6e6,
    "uas": 1 / 3.6e9,
    "rad": 57.29577951308232,
}
_JANSKY = {"Jy": 1.0, "mJy": 1e-3, "uJy": 1e-6, "nJy": 1e-9}
_BYTE = {"byte": 1.0, "kbyte": 1e3, "Mbyte": 1e6, "Gbyte": 1e9}
_SECOND = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "yr": 31557600.0, "Myr": 31557600e6, "Gyr": 31557600e9}
_LENGTH = {"m": 1.0, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "Angstrom": 1e-10}
_UNITS = (_DEGREE, _JANSKY, _BYTE, _SECOND, _LENGTH)


def write(node: exp.Anonymous, known: Tables) -> None:
    """Replace a function by its counterpart in DuckDB."""
    if node.name.upper() not in FUNCTIONS:
        return
    if node.name.upper() == "IN_UNIT":
        node.replace(_in_unit(node, known))
        return
    sql = FUNCTIONS[node.name.upper()].sql
    if isinstance(sql, str):
        node.set("this", sql)
    else:
        node.replace(exp.Var(this=sql([each.sql("duckdb", identify=True) for each in node.expressions])))


def write_number(node: exp.Literal) -> None:
    """Make a number with a point a double, as in ADQL; DuckDB would read it as a DECIMAL."""
    if not node.is_string and "." in node.name and "e" not in node.name.lower():
        node.set("this", f"{node.name}e0")


def _in_unit(node: exp.Anonymous, known: Tables) -> exp.Expr:
    value, wanted = node.expressions
    if not isinstance(wanted, exp.Literal) or not wanted.is_string:
        raise in_node(node, "IN_UNIT takes a unit as text, 'arcsec'")
    column = what_is(value, columns_of(known)) if isinstance(value, exp.Column) else None
    if column is None or not column.unit:
        raise in_node(node, "IN_UNIT takes a column that has a unit")
    if column.unit == wanted.name:
        return exp.Paren(this=value.copy())
    for units in _UNITS:
        if column.unit in units and wanted.name in units:
            factor = units[column.unit] / units[wanted.name]
            return exp.Var(this=f"({value.sql('duckdb', identify=True)} * {factor!r})")
    raise in_node(node, f"{column.unit} cannot be turned into {wanted.name[:40]!r} here")
