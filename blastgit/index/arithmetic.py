"""Arithmetic as astronomers expect: undefined results are null, and fulfil no condition.

For a division by zero or the logarithm of a negative flux, DuckDB gives infinity, NaN or an error, depending on the
function. It orders NaN above all numbers, so that `sqrt(-1) > 5` would be true.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_DOMAINS = {
    "sqrt": "x >= 0", "ln": "x > 0", "log2": "x > 0", "log10": "x > 0",
    "acos": "abs(x) <= 1", "asin": "abs(x) <= 1", "atanh": "abs(x) < 1", "acosh": "x >= 1",
    "gamma": "x > 0", "lgamma": "x > 0", "cot": "x != 0",
}  # fmt: skip
"""The condition under which each function is defined."""

_POWERS = ("pow", "power", "^", "**")

_LOGARITHMS = """
CREATE TEMP MACRO log(x) AS CASE WHEN x > 0 THEN system.main.log10(x) END,
    (base, x) AS CASE WHEN base > 0 AND base != 1 AND x > 0 THEN system.main.log(base, x) END"""

_STATEMENTS = (
    "SET ieee_floating_point_ops = false",  # together these two make every division by zero null
    "SET error_on_division_by_zero = false",
    *(
        f"CREATE TEMP MACRO {name}(x) AS CASE WHEN {domain} THEN system.main.{name}(x) END"
        for name, domain in _DOMAINS.items()
    ),
    _LOGARITHMS,
    *(f"CREATE TEMP MACRO \"{name}\"(x, y) AS nullif(system.main.pow(x, y), 'nan'::DOUBLE)" for name in _POWERS),
)


def make_undefined_null(connection: duckdb.DuckDBPyConnection) -> None:
    """Make undefined results null in all queries of a connection."""
    for statement in _STATEMENTS:
        connection.execute(statement)
