"""Collect rows by table, and convert them to Arrow columns for DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from blastgit.index.healpix import cells
from blastgit.index.library import need
from blastgit.index.tables import tables

if TYPE_CHECKING:
    import pyarrow as pa

Values = tuple[Any, ...]

_INT32, _INT64 = 2**31, 2**63


@dataclass
class Rows:
    """Rows of several tables.

    Attributes:
        by_table: The rows of each table.
        damaged: What could not be read, and why, by revision.
    """

    by_table: dict[str, list[Values]] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)

    def add(self, table: str, rows: Iterable[Values], before: Values = ()) -> None:
        """Add rows, each preceded by the values `before`."""
        kept = self.by_table.setdefault(table, [])
        kept += [before + row for row in rows] if before else rows

    def to_arrow(self) -> dict[str, pa.Table]:
        """Return the rows of each table as Arrow columns."""
        need("pyarrow")
        return {name: _table(name, rows) for name, rows in self.by_table.items() if rows}


def _table(name: str, rows: list[Values]) -> pa.Table:
    import pyarrow as pa

    columns = tables()[name].columns
    kinds = {"text": pa.string(), "integer": pa.int32(), "bigint": pa.int64(), "double": pa.float64(),
             "boolean": pa.bool_(), "timestamp": pa.timestamp("us")}  # fmt: skip
    arrays = []
    given = dict(zip([column.name for column in columns], zip(*rows, strict=True), strict=True))
    if "healpix" in given:  # at once, since numpy takes as long for one as for a thousand
        given["healpix"] = cells(map(number, given["ra_deg"]), map(number, given["dec_deg"]), tables().order)
    for column in columns:
        values = given[column.name]
        try:
            arrays.append(_array(values, kinds[column.type]))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, TypeError, ValueError):
            fitting = _FITTING[column.type]  # a value of another type than in Blast's model is kept in git only
            arrays.append(_array([fitting(value) for value in values], kinds[column.type]))
    return pa.Table.from_arrays(arrays, [column.name for column in columns])


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return a column with NaN replaced by null, since DuckDB orders NaN above all numbers."""
    import pyarrow as pa

    return pa.array(values, kind, from_pandas=True)


def moment(text: object) -> datetime | None:
    """Read a time, and return it in UTC without a zone, for DuckDB; None if it is not a time."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return naive(found)


def naive(when: datetime) -> datetime:
    """Return a time in UTC, without a zone."""
    try:
        return when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when
    except OverflowError:
        return when.replace(tzinfo=None)


def number(value: object) -> float | None:
    """Return a value if it is a number, else None."""
    try:
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    except OverflowError:
        return None


def _text(value: object) -> str | None:
    if value is None:
        return None
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else repr(value)


def _whole(limit: int) -> Callable[[object], int | None]:
    def fit(value: object) -> int | None:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return value if is_whole and -limit <= value < limit else None  # type: ignore[operator, return-value]

    return fit


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


_FITTING: dict[str, Callable[[object], Any]] = {
    "text": _text,
    "integer": _whole(_INT32),
    "bigint": _whole(_INT64),
    "double": number,
    "boolean": _truth,
    "timestamp": lambda value: value if isinstance(value, datetime) else None,
}
