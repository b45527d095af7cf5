"""Write ECSV 1.0: CSV with a header of types, units and descriptions, for astropy and TOPCAT."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from blastgit.index.tables import Column
from blastgit.search.tabular.cells import Rows, distinct, text_of

_TYPES = {"integer": "int32", "bigint": "int64", "double": "float64", "boolean": "bool"}


def write_ecsv(columns: Sequence[Column], rows: Rows, meta: Mapping[str, object] | None = None) -> Iterator[str]:
    r"""Yield a table; a line break in a text is written as `\n`, since each row must be one line."""
    described = distinct(columns)
    yield "# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n"
    for column in described:
        yield f"# - {_mapping(_facts(column))}\n"
    if meta:
        yield f"# meta: {_mapping(meta)}\n"
    yield "# schema: astropy-2.0\n"
    yield f"{','.join(_quoted(column.name) for column in described)}\n"
    for row in rows:
        yield f"{','.join(map(_cell, row))}\n"


def _facts(column: Column) -> dict[str, object]:
    facts: dict[str, object] = {"name": column.name, "datatype": _TYPES.get(column.type, "string")}
    if column.unit:
        facts["unit"] = column.unit
    if column.about:
        facts["description"] = column.about
    if column.ucd:
        facts["meta"] = {"ucd": column.ucd}
    return facts


def _mapping(value: Mapping[str, object]) -> str:
    """Return a mapping as YAML in one line: JSON is YAML."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, int | float):
        return repr(value)
    return _quoted(text_of(value))


def _quoted(text: str) -> str:
    text = "\\n".join(text.splitlines()) if len(text.splitlines()) > 1 else text
    return '"' + text.replace('"', '""') + '"' if not text or set(text) & set(", \"'#\t\r\n") else text
