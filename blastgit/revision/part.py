"""Part of an export: what one stage of the workflow brings, and how it is laid over what was there before.

A stage of the workflow changes a few rows, and others run beside it. So it brings only the rows and fields that it
made; rows are found by their natural names, since primary keys mean nothing across runs.
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
    """Whether a part is a whole export, which takes the place of what was there: it has all tables."""
    return part.keys() >= _TABLES and all("aperturephotometry" in row for row in part["apertures"])


def skeleton(name: str, time: str) -> dict[str, Json]:
    """Return the export of a transient of which nothing is known yet but its name."""
    document: dict[str, Json] = {
        "metadata": {"app_version": "", "export_time": time},
        "transient": {"model": "host.transient", "pk": 0, "fields": {"name": name}},
        "host": None,
    }
    return {**document, **{table: [] for table in _LISTS}}


def lay_over(document: Mapping[str, Json], part: Mapping[str, Json]) -> dict[str, Json]:
    """Return a document with a part laid over it.

    `transient`, `host` and the rows of lists are merged field by field; a host with another primary key, or null, takes
    the place of the old one; so do the lists of an aperture that are given. What the part does not name stays.

    Raises:
        InvalidExport: A row of the part has no name, or is not a row.
    """
    return dict(part) if is_whole(part) else _merge(document, part)


def carry_over(document: Mapping[str, Json], old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    """Return a document with what was made between `old` and `new` laid over it; all of `new` if a row went."""
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
    """Return the rows and objects of `new` that `old` has not, or otherwise; None if a row of `old` is gone."""
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
    """Return the name of a row, which tells it from the others of its table."""
    owner = as_object(row, table)
    fields = owner if table == "workflow_tasks" else as_object(owner.get("fields"), f"{table}[…].fields")
    name = fields.get("task_name" if table == "workflow_tasks" else "name")
    if not isinstance(name, str):
        raise InvalidExport(f"a row of {table} has no name, so it cannot be known which row it is: {row!r:.80}")
    return name
