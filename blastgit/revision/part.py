"""Part of an export: the output of one stage of the workflow, and how it is merged into the export before it.

A stage of the workflow changes a few rows while others run beside it. So its part holds only the rows and fields that
it made; rows are matched by their natural names, since primary keys have no meaning across runs.
"""

from __future__ import annotations

from collections.abc import Mapping

from blastgit.errors import InvalidExport
from blastgit.revision.document import Json, as_list, as_object
from blastgit.revision.export import CHILD_LISTS

_OBJECTS = ("transient", "host")
_LISTS = ("apertures", "cutouts", "filters", "surveys", "workflow_tasks")
_TABLES = frozenset({"metadata", *_OBJECTS, *_LISTS})


def is_whole(part: Mapping[str, Json]) -> bool:
    """Whether a part is a whole export, which replaces the export before it: it has all tables."""
    return part.keys() >= _TABLES and all("aperturephotometry" in row for row in part["apertures"])


def skeleton(name: str, time: str) -> dict[str, Json]:
    """Return the export of a transient of which only the name is known."""
    document: dict[str, Json] = {
        "metadata": {"app_version": "", "export_time": time},
        "transient": {"model": "host.transient", "pk": 0, "fields": {"name": name}},
        "host": None,
    }
    return {**document, **{table: [] for table in _LISTS}}


def lay_over(document: Mapping[str, Json], part: Mapping[str, Json]) -> dict[str, Json]:
    """Return a document with a part merged into it.

    `transient`, `host` and the rows of lists are merged field by field; a host with another primary key, or null,
    replaces the old one; so do the given lists of an aperture. Everything that the part does not name stays.

    Raises:
        InvalidExport: A row of the part has no name, or is not a row.
    """
    return dict(part) if is_whole(part) else _merge(document, part)


def carry_over(document: Mapping[str, Json], old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    """Return a document with the changes from `old` to `new` merged into it; all of `new` if a row was removed."""
    part = _part_between(old, new)
    return dict(new) if part is None else _merge(document, part)


def _merge(document: Mapping[str, Json], part: Mapping[str, Json]) -> dict[str, Json]:
    result = dict(document)
    for key, value in part.items():
        if key in _LISTS:
            result[key] = _merge_rows(key, as_list(document.get(key, []), key), as_list(value, key))
        elif key in _OBJECTS and document.get(key) is not None and value is not None:
            result[key] = _merge_row(document[key], as_object(value, key), key)
        elif key == "metadata":
            result[key] = {**document.get(key, {}), **as_object(value, key)}
        else:
            result[key] = value
    return result


def _part_between(old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json] | None:
    """Return the rows and objects of `new` that `old` lacks or has otherwise; None if a row of `old` is gone."""
    part = {key: value for key, value in new.items() if key not in old or old[key] != value}
    for key in part.keys() & set(_LISTS):
        before = {_name(key, row): row for row in old.get(key, [])}
        if before.keys() - {_name(key, row) for row in part[key]}:
            return None
        part[key] = [row for row in part[key] if before.get(_name(key, row)) != row]
    return part


def _merge_rows(table: str, old: list[Json], new: list[Json]) -> list[Json]:
    rows = {_name(table, row): row for row in old}
    for row in new:
        name = _name(table, row)
        rows[name] = _merge_row(rows[name], row, f"{table}: {name}") if name in rows else _complete(table, row)
    return list(rows.values())


def _complete(table: str, row: dict[str, Json]) -> dict[str, Json]:
    return {**row, **{child: row.get(child, []) for child in CHILD_LISTS}} if table == "apertures" else row


def _merge_row(old: Json, new: dict[str, Json], where: str) -> dict[str, Json]:
    if new.get("pk", old.get("pk")) != old.get("pk") and where in _OBJECTS:
        return new  # another host
    fields = {**old.get("fields", {}), **as_object(new.get("fields", {}), f"{where}.fields")}
    return {**old, **new, **({"fields": fields} if "fields" in old else {})}


def _name(table: str, row: Json) -> str:
    """Return the name of a row, which is unique in its table."""
    owner = as_object(row, table)
    fields = owner if table == "workflow_tasks" else as_object(owner.get("fields"), f"{table}[…].fields")
    name = fields.get("task_name" if table == "workflow_tasks" else "name")
    if not isinstance(name, str):
        raise InvalidExport(f"a row of {table} has no name, so it cannot be matched: {row!r:.80}")
    return name
