"""The queries of a comparison: pairs of values, their differences, and statistics of these."""

from __future__ import annotations

from collections.abc import Sequence

from blastgit.revision.quantities import RATIO, quantity_of
from blastgit.search.compare.quantities import Quantity, Subject
from blastgit.search.compare.side import Side

_ROBUST = 1.4826  # the standard deviation over the MAD, for normally distributed values
_NOISE = "1e-9 * greatest(abs(old), abs(new))"  # differences up to this are rounding
_DIFFERS = f"abs(difference) > {_NOISE}"
_IS_OUTLIER = f"({_DIFFERS} AND abs(difference - middle) > greatest($sigma * {_ROBUST} * mad, {_NOISE}))"


def pairs(a: Side, b: Side) -> str:
    """Return the query of the transients that both sides have, with the revisions `a` and `b`."""
    return (
        f"SELECT transient, a.revision AS a, b.revision AS b FROM ({a.sql('$a')}) AS a "  # noqa: S608 (parameters)
        f"JOIN ({b.sql('$b')}) AS b USING (transient)"
    )


def counted(a: Side, b: Side) -> str:
    """Return the query of how many transients both sides have, and for how many the revision is the same."""
    return f"SELECT count(*), count_if(a = b) FROM ({pairs(a, b)})"  # noqa: S608 (parameters)


def plotted(a: Side, b: Side, subject: Subject, tests: Sequence[str]) -> str:
    """Return the query of the values of both sides that fulfil some tests."""
    return f"SELECT old, new FROM ({differences(a, b, subject)}) WHERE {' AND '.join(tests)} AND difference IS NOT NULL"  # noqa: S608


def values(a: Side, b: Side, subject: Subject) -> str:
    """Return the query of all values: transient, groups, quantity, the value on each side, their errors.

    Values that are not finite count as missing.
    """
    keys = ", ".join(["transient", *subject.rows])
    shown = "".join(f", {name}" for name in subject.groups)
    sides = [_rows(subject, side) for side in "ab"]
    both = f"({sides[0]}) AS a FULL JOIN ({sides[1]}) AS b USING ({keys})"
    picked = ", ".join(
        f"{{'quantity': '{each.name}', 'old': a.v{i}, 'new': b.v{i}, 'old_error': a.e{i}, 'new_error': b.e{i}}}"
        for i, each in enumerate(subject.quantities)
    )
    kept = "".join(f", coalesce(a.{name}, b.{name}) AS {name}" for name in subject.groups if name not in subject.rows)
    return (
        f"WITH pairs AS MATERIALIZED ({pairs(a, b)}) "  # noqa: S608 (columns of our own)
        f"SELECT transient{shown}, unnest(numbers, recursive := true) FROM "
        f"(SELECT {keys}{kept}, [{picked}] AS numbers FROM {both})"
    )


def _judged(a: Side, b: Side, subject: Subject) -> str:
    """Return the beginning of a query: the differences, and the median and the MAD of each group and quantity.

    Only values that differ count: where most agree, the MAD would otherwise be 0, and all others outliers.
    """
    by = _by(subject)
    return f"""
WITH differences AS MATERIALIZED ({differences(a, b, subject)}),
middles AS (SELECT {by}, median(difference) AS middle FROM differences WHERE {_DIFFERS} GROUP BY ALL),
spreads AS (
    SELECT {by}, any_value(middle) AS middle, median(abs(difference - middle)) AS mad
    FROM differences JOIN middles USING ({by}) WHERE {_DIFFERS} GROUP BY {by}),
judged AS (SELECT * FROM differences LEFT JOIN spreads USING ({by}))"""  # noqa: S608 (columns of our own)


def statistics(a: Side, b: Side, subject: Subject) -> str:
    """Return the query of a row for each group and quantity; see `Statistics`."""
    by = _by(subject)
    return f"""{_judged(a, b, subject)}
SELECT {by},
    count(difference) AS both, count_if(new IS NULL) AS only_old, count_if(old IS NULL) AS only_new,
    count(*) FILTER ({_DIFFERS}) AS changed,
    any_value(middle) AS median_difference, any_value(mad) AS mad,
    median({_relative(subject)}) FILTER ({_DIFFERS}) AS median_relative,
    median(in_sigma) FILTER ({_DIFFERS}) AS median_sigma,
    min(difference) FILTER ({_DIFFERS}) AS least, max(difference) FILTER ({_DIFFERS}) AS greatest,
    count(*) FILTER ({_IS_OUTLIER}) AS outliers
FROM judged GROUP BY {by} ORDER BY {by}"""  # noqa: S608 (columns of our own)


def outliers(a: Side, b: Side, subject: Subject) -> str:
    """Return the query of the outliers, farthest first for each group and quantity, up to `$shown` of each."""
    by = _by(subject)
    farthest = "abs(difference - middle) DESC, transient"
    return f"""{_judged(a, b, subject)}
SELECT {by}, transient, old, new, difference, in_sigma FROM judged WHERE {_IS_OUTLIER}
QUALIFY row_number() OVER (PARTITION BY {by} ORDER BY {farthest}) <= $shown ORDER BY {by}, {farthest}"""  # noqa: S608


def differing(a: Side, b: Side, subject: Subject) -> str:
    """Return the query of every value that differs, or that only one side has."""
    by = _by(subject)
    return (
        f"SELECT transient, {by}, old, new, difference, {_relative(subject)} AS relative, in_sigma "  # noqa: S608
        f"FROM ({differences(a, b, subject)}) WHERE difference IS NULL OR {_DIFFERS} "
        f"ORDER BY transient, {by}"
    )


def differences(a: Side, b: Side, subject: Subject) -> str:
    """Return the query of all values that at least one side has, with their differences."""
    both = "new IS NOT NULL AND old IS NOT NULL"
    sigma = "nullif(sqrt(old_error * old_error + new_error * new_error), 0)"
    return (
        f"SELECT *, CASE WHEN {both} THEN new - old END AS difference, (new - old) / {sigma} AS in_sigma "  # noqa: S608
        f"FROM ({values(a, b, subject)}) WHERE old IS NOT NULL OR new IS NOT NULL"
    )


def _relative(subject: Subject) -> str:
    """Return the SQL of the relative change, NULL for quantities without one, such as magnitudes and logarithms."""
    names = ", ".join(f"'{each.name}'" for each in subject.quantities if quantity_of(each.name).scale == RATIO)
    return f"CASE WHEN quantity IN ({names}) THEN difference / nullif(abs(old), 0) END" if names else "NULL::DOUBLE"


def _rows(subject: Subject, side: str) -> str:
    kept = [name for name in subject.groups if name not in subject.rows]
    columns = ["transient", *subject.rows, *kept]
    numbers = [f"{_number(each, i)}" for i, each in enumerate(subject.quantities)]
    # Duplicate rows (left by races in Blast) have the same key: use the first of them.
    order = ", ".join(["transient", *subject.rows]) if subject.rows else "transient"
    return (
        f"SELECT {', '.join([*(f't.{name}' for name in columns), *numbers])} "  # noqa: S608 (columns of our own)
        f"FROM {_table(subject)} AS t JOIN pairs AS p ON t.transient = p.transient AND t.revision = p.{side} "
        f"QUALIFY row_number() OVER (PARTITION BY {_prefixed(order)}) = 1"
    )


def _table(subject: Subject) -> str:
    return "revisions" if subject.table.view else subject.table.name


def _prefixed(names: str) -> str:
    return ", ".join(f"t.{name}" for name in names.split(", "))


def _number(quantity: Quantity, i: int) -> str:
    value = f"t.{quantity.name}"
    error = quantity.error.replace("{}", "t") or "NULL::DOUBLE"
    return f"CASE WHEN isfinite({value}) THEN {value} END AS v{i}, CASE WHEN isfinite({error}) THEN {error} END AS e{i}"


def _by(subject: Subject) -> str:
    return ", ".join([*subject.groups, "quantity"])
