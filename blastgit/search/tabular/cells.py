"""Columns and cells, as used by all writers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from blastgit.index.tables import Column
from blastgit.revision.document import nonfinite_name

Row = Sequence[Any]
Rows = Iterable[Row]
"""Rows of text, numbers, booleans, `datetime` in UTC without a zone, and None."""

NUMBERS = ("integer", "bigint", "double")


def distinct(columns: Sequence[Column]) -> list[Column]:
    """Return columns with names that differ, ignoring case: a second `ra` becomes `ra_2`."""
    seen: set[str] = set()
    found = []
    for column in columns:
        name, number = column.name, 1
        while name.casefold() in seen:
            number += 1
            name = f"{column.name}_{number}"
        seen.add(name.casefold())
        found.append(column if name == column.name else replace(column, name=name))
    return found


def plain(value: object) -> object:
    """Return a value for JSON: everything except text, numbers and booleans becomes text.

    Non-finite numbers are named as in published documents: "NaN", "Infinity", "-Infinity".
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if isfinite(value) else nonfinite_name(value)
    return text_of(value)


def text_of(value: object) -> str:
    """Return a value as text: times in ISO 8601, in UTC."""
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            value = value.astimezone(UTC).replace(tzinfo=None)
        return f"{value.isoformat()}Z"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date | bytes):
        return str(value)
    return value if isinstance(value, str) else str(value)
