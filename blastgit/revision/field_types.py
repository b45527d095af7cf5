"""Whether a value is of the kind that Blast writes in that field: a number, a text, a list.

`export.schema.json` defines the kinds. A field that it does not list came with a newer Blast and may hold anything.
Only values about to be published are checked: published ones stay readable, whatever they hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache

from blastgit.errors import InvalidExport
from blastgit.revision.compare import FieldChange
from blastgit.revision.document import Json
from blastgit.revision.normalise import NaturalForm, Row
from blastgit.revision.rules import Rules
from blastgit.revision.schema import schema_text

_TABLES = {
    "transient": "transient", "host": "host", "cutouts": "cutout", "apertures": "aperture", "photometry": "photometry",
    "sed": "sed_fit", "sfh": "star_formation", "filters": "filter", "surveys": "survey",
}  # fmt: skip
_KINDS: dict[str, tuple[str, tuple[type, ...]]] = {
    "number": ("a number", (int, float)),
    "list": ("a list", (list,)),
    "scalar": ("a text or a number", (str, int, float, bool)),
}


def check_form(form: NaturalForm, rules: Rules) -> None:
    """Check every value of a state.

    Raises:
        InvalidExport: One is of another kind than Blast would write; the error names its natural path.
    """
    for row in form.rows():
        for field, value in row.values.items():
            _check(row.table, field, value, rules, row)


def check_changes(changes: Iterable[FieldChange], rules: Rules) -> None:
    """Check the values that are new; see `check_form`."""
    for change in changes:
        _check(change.table, change.field, change.new, rules, Row(change.table, change.key, {}, change.twin))


def _check(table: str, field: str, value: Json, rules: Rules, row: Row) -> None:
    """Check one value. A reference is a natural key by now and is not checked."""
    kind = None if field in rules.tables[table].references else _kind(table, field)
    if kind is None or value is None:
        return
    words, types = _KINDS[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and kind == "number"):
        raise InvalidExport(f"{row.path}.{field} should be {words}, and is {value!r:.40}")


@cache
def _kind(table: str, field: str) -> str | None:
    fields = _fields(_TABLES.get(table, ""))
    patterns = fields.get("patternProperties", {}).items()
    found = fields.get("properties", {}).get(field) or next((p for name, p in patterns if re.search(name, field)), None)
    if found is None:
        return None
    said = f"{found.get('$ref', '')} {found.get('type', '')}"
    return "number" if "number" in said or "integer" in said else "list" if "array" in said else "scalar"


@cache
def _definitions() -> dict[str, dict[str, Json]]:
    found: dict[str, dict[str, Json]] = json.loads(schema_text())["$defs"]
    return found


def _fields(definition: str) -> dict[str, Json]:
    fields: dict[str, Json] = _definitions().get(definition, {}).get("properties", {}).get("fields", {})
    return fields
