"""Write the formats without descriptions: an aligned table, JSON, JSON lines, CSV, a list of names."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from blastgit.errors import UsageError
from blastgit.index.tables import Column
from blastgit.search.tabular.cells import NUMBERS, Rows, distinct, plain, text_of

_DIGITS = 10  # of a number in an aligned table


def write_table(columns: Sequence[Column], rows: Rows) -> Iterator[str]:
    """Yield aligned columns under their names, with numbers aligned to the right."""
    right = [column.type in NUMBERS for column in columns]
    cells = [[column.name for column in columns], *([_shown(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        aligned = (
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(row, widths, right, strict=True)
        )
        yield f"{'  '.join(aligned).rstrip()}\n"


def write_json(columns: Sequence[Column], rows: Rows) -> Iterator[str]:
    """Yield a list of objects with the columns as keys, one per line."""
    before = "[\n"
    for line in write_jsonl(columns, rows):
        yield f"{before}{line.rstrip()}"
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def write_jsonl(columns: Sequence[Column], rows: Rows) -> Iterator[str]:
    """Yield one object per line."""
    names = [column.name for column in distinct(columns)]
    for row in rows:
        yield f"{json.dumps(dict(zip(names, map(plain, row), strict=True)), ensure_ascii=False)}\n"


def write_csv(columns: Sequence[Column], rows: Rows, delimiter: str = ",") -> Iterator[str]:
    """Yield CSV (RFC 4180, except for line ends) with the names in the first line; missing values are empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    for row in chain([[column.name for column in distinct(columns)]], rows):
        writer.writerow(["" if value is None else _written(value) for value in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def write_names(columns: Sequence[Column], rows: Rows) -> Iterator[str]:
    """Yield the datasets, `2026dgt@1`, one per line and without duplicates, for `subset`, `get` and `collection add`.

    Raises:
        UsageError: The columns do not name a dataset.
    """
    places = {column.name: i for i, column in reversed([*enumerate(columns)])}
    if "dataset" in places:
        found = (row[places["dataset"]] for row in rows)
    elif {"transient", "revision"} <= places.keys():
        found = (_dataset(row[places["transient"]], row[places["revision"]]) for row in rows)
    else:
        raise UsageError("a list of names needs a column `dataset`, or the columns `transient` and `revision`")
    for name in dict.fromkeys(found):
        if name is not None:
            yield f"{name}\n"


def names_datasets(columns: Sequence[Column]) -> bool:
    """Whether rows with these columns can be written as a list of names."""
    names = {column.name for column in columns}
    return "dataset" in names or {"transient", "revision"} <= names


def _dataset(transient: Any, revision: Any) -> str | None:
    return None if transient is None or revision is None else f"{transient}@{revision}"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    text = text_of(value)
    return text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)


def _written(value: Any) -> Any:
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else text_of(value)
