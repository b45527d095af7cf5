"""Convert rows to an astropy table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from blastgit.index.tables import Column
from blastgit.plumbing.extras import not_installed
from blastgit.search.tabular.cells import Row, distinct, text_of

if TYPE_CHECKING:
    from astropy.table import Table

_EMPTY: dict[str, Any] = {"integer": 0, "bigint": 0, "double": 0.0, "boolean": False}
_TYPES = {"integer": "int32", "bigint": "int64", "double": "float64", "boolean": "bool"}


def to_table(columns: Sequence[Column], rows: Sequence[Row], meta: Mapping[str, Any]) -> Table:
    """Return a table with units, descriptions and UCDs; missing values are masked, times are ISO 8601 text.

    Raises:
        RepoError: astropy is not installed.
    """
    try:
        from astropy.table import MaskedColumn, Table
    except ImportError:
        raise not_installed("a table needs", "astropy", "astropy") from None
    table = Table(meta=dict(meta))
    for place, column in enumerate(distinct(columns)):
        values = [row[place] for row in rows]
        empty = _EMPTY.get(column.type, "")
        given = [empty if value is None else value if column.type in _EMPTY else text_of(value) for value in values]
        table[column.name] = MaskedColumn(
            given,
            mask=[value is None for value in values],
            dtype=_TYPES.get(column.type, "str"),
            unit=column.unit or None,
            description=column.about or None,
            meta={"ucd": column.ucd} if column.ucd else None,
        )
    return table
