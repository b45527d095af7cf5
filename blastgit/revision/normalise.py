"""The natural form of an export: its values, independent of how Blast's database happens to store them.

A natural form is a flat mapping from the natural path of a value to the value: `host.redshift`,
`photometry/2010H_SDSS_r_global/SDSS_r.flux`, `sed/global.log_mass_50`, `workflow_tasks/Host match.status`. What is
empty (null, "", [], {}) does not occur: a missing key equals an empty one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from math import isfinite
from typing import Any

from blastgit.errors import InvalidExport
from blastgit.revision.document import Json, canonical, fits_double, nonfinite_name
from blastgit.revision.export import CHILD_LISTS, TABLES, Export
from blastgit.revision.rules import Rules, Table

Key = tuple[Json, ...]


@dataclass(frozen=True)
class Row:
    """One row: the natural key that names it in its table, and its values that count and are not empty.

    Rows with the same name are twins, the result of race conditions in Blast; they are numbered from 1.
    """

    table: str
    key: Key
    values: Mapping[str, Json]
    twin: int = 1

    @property
    def name(self) -> str:
        """The natural path that the row shares with its twins: `photometry/2010H_SDSS_r_global/SDSS_r`."""
        return "/".join([self.table, *map(_word, self.key)])

    @property
    def path(self) -> str:
        """The natural path of this row alone."""
        return self.name if self.twin == 1 else f"{self.name}/twin {self.twin}"


@dataclass(frozen=True)
class NaturalForm:
    """All rows of one state, by table."""

    tables: Mapping[str, list[Row]]

    @cached_property
    def values(self) -> dict[str, Json]:
        """Every value by its natural path."""
        values: dict[str, Json] = {}
        for row in self.rows():
            path = row.path
            for field, value in row.values.items():
                values[f"{path}.{field}"] = value
        return values

    def rows(self) -> Iterator[Row]:
        """Yield the rows of all tables."""
        for rows in self.tables.values():
            yield from rows

    @cached_property
    def canonical(self) -> bytes:
        """The canonical JSON of all values; numbers beyond doubles become `{"nonfinite": …}` and `{"integer": …}`."""
        return canonical({path: _canonical_form(value) for path, value in self.values.items()})


def normalise(export: Export, rules: Rules) -> NaturalForm:
    """Return the natural form of an export.

    Raises:
        InvalidExport: A row refers to a filter, survey, cutout or host that the export does not have.
    """
    return NaturalForm(_Normaliser(export.document, rules).tables())


class _Normaliser:
    def __init__(self, document: dict[str, Json], rules: Rules) -> None:
        self._document = document
        self._rules = rules
        self._names: dict[str, dict[int, Json]] = {}

    def tables(self) -> dict[str, list[Row]]:
        tables = {name: list(self._table(table)) for name, table in self._rules.tables.items()}
        for name, table in self._rules.tables.items():
            if table.only_used:
                used = {value for user in table.only_used for value in self._references(tables[user], user, name)}
                tables[name] = [row for row in tables[name] if row.key[0] in used]
        return {name: _number_twins(rows) for name, rows in tables.items()}

    def _references(self, rows: list[Row], user: str, target: str) -> Iterator[Json]:
        fields = [f for f, table in self._rules.tables[user].references.items() if table == target]
        return (row.values.get(field) for row in rows for field in fields)

    def _table(self, table: Table) -> Iterator[Row]:
        for fields, aperture in _find_rows(self._document, table):
            if table.name == "workflow_tasks" and fields["task_name"] in self._rules.ignored_stages:
                continue
            values = self._values(table, fields)
            if table.only_if is None or table.only_if in values:
                yield Row(table.name, tuple(_key_part(part, values, fields, aperture) for part in table.key), values)

    def _values(self, table: Table, fields: dict[str, Json]) -> dict[str, Json]:
        values: dict[str, Json] = {}
        for field, value in fields.items():
            if field in table.volatile or (not value and _empty(value)):  # few are: checking in place is faster
                continue
            if self._rules.ignore_unknown and not table.knows(field):
                continue
            if field not in table.special:
                values[field] = value
            elif not _empty(natural := self._value(table, field, value)):
                values[field] = natural
        for copy, original in table.copies.items():
            if copy not in values and original in values:
                values[copy] = values[original]
            elif original not in values and copy in values:
                values[original] = values[copy]
        return values

    def _value(self, table: Table, field: str, value: Json) -> Json:
        if field in table.references:
            return self._refer(table.references[field], value, f"{table.name}.{field}")
        if field in table.instants:
            return _instant(value)
        if table.name == "workflow_tasks" and field == "status":
            return self._outcome(value)
        if field in table.labels and isinstance(value, list):
            return sorted(value, key=str)
        return value

    def _outcome(self, status: dict[str, Json]) -> Json:
        message = status["message"]
        return None if message in self._rules.pending else self._rules.renamed_outcomes.get(message, message)

    def _refer(self, target: str, value: Json, where: str) -> Json:
        if target not in self._names:
            table = self._rules.tables[target]
            self._names[target] = dict(_natural_names(self._document, table))
        names = self._names[target]
        if isinstance(value, list):
            return sorted((_name_of(names, pk, "gone") for pk in value), key=_sortable)
        if not isinstance(value, int) or value not in names:
            raise InvalidExport(f"{where} is {value!r:.40}, and the export has no row of {target} with that key")
        return names[value]


def _natural_names(document: dict[str, Json], table: Table) -> Iterator[tuple[int, Json]]:
    for row, aperture in _find_raw_rows(document, table):
        fields = row["fields"]
        if table.name == "host":
            yield row["pk"], host_name(fields)
        else:
            yield row["pk"], _key_part(table.key[-1], fields, fields, aperture)


def host_name(fields: dict[str, Json]) -> Json:
    """Name a host as Blast's own lookup would: by name, else by its catalogue entry, else by its position."""
    if fields.get("name"):
        return fields["name"]
    catalogue = [fields.get(key) for key in ("catalog_name", "catalog_release", "object_id")]
    return " ".join(map(str, catalogue)) if all(catalogue) else "at its position"


def _find_rows(document: dict[str, Json], table: Table) -> Iterator[tuple[dict[str, Json], dict[str, Json]]]:
    """Yield the fields of each row, and those of the aperture that carries it."""
    for row, aperture in _find_raw_rows(document, table):
        yield _fields(row), aperture
    if table.rows == "others":
        yield {key: _unknown_table(document[key]) for key in sorted(document.keys() - _TABLES)}, {}


def _fields(row: dict[str, Json]) -> dict[str, Json]:
    """Return the fields of a row, with what a newer Blast may have put beside them."""
    if "fields" not in row:
        return row
    fields: dict[str, Json] = row["fields"]
    if row.keys() <= _OF_ROW:
        return fields
    return {key: _unknown_table(value) for key, value in row.items() if key not in _OF_ROW} | fields


def _unknown_table(value: Json) -> Json:
    """Return a table that this version does not know, without what the database decides: primary keys and order."""
    if isinstance(value, dict) and "pk" in value:
        return _fields(value) if isinstance(value.get("fields"), dict) else value
    if isinstance(value, list) and all(isinstance(row, dict) and "pk" in row for row in value):
        return sorted(map(_unknown_table, value), key=lambda row: canonical(_canonical_form(row)))
    return value


def _find_raw_rows(document: dict[str, Json], table: Table) -> Iterator[tuple[dict[str, Json], dict[str, Json]]]:
    if table.rows in CHILD_LISTS:
        for aperture in document.get("apertures", ()):
            for row in aperture[table.rows]:
                yield row, aperture["fields"]
    elif table.rows == "object":
        if document.get(table.name) is not None:
            yield document[table.name], {}
    elif table.rows == "list":
        for row in document.get(table.name, ()):
            yield row, {}


def _key_part(part: str, values: Mapping[str, Json], fields: Mapping[str, Json], aperture: Mapping[str, Json]) -> Json:
    owner, _, field = part.rpartition(".")
    value = aperture.get(field) if owner else values.get(field, fields.get(field))
    if isinstance(value, dict | list):
        raise InvalidExport(f"the key {part} of a row should be a plain value, and is {value!r:.40}")
    return value


def _number_twins(rows: list[Row]) -> list[Row]:
    """Number the rows with the same name, in the order of their values."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.name, []).append(row)
    if len(groups) == len(rows):
        return rows
    result = []
    for twins in groups.values():
        twins.sort(key=lambda row: canonical({field: _canonical_form(value) for field, value in row.values.items()}))
        result += [replace(row, twin=number) for number, row in enumerate(twins, 1)]
    return result


def _instant(value: Json) -> Json:
    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (TypeError, ValueError, OverflowError):
        return value


def _empty(value: Json) -> bool:
    return not value and not isinstance(value, int | float)


def _canonical_form(value: Json) -> Json:
    """Return a value as canonical JSON can hold it: a number that no double holds becomes an object.

    An object that happens to look like one of these is wrapped, so that no two values become the same.
    """
    if isinstance(value, float) and not isfinite(value):
        return {"nonfinite": nonfinite_name(value)}
    if type(value) is int and not fits_double(value):
        return {"integer": str(value)}
    if isinstance(value, list):
        return [_canonical_form(item) for item in value]
    if isinstance(value, dict):
        inside = {key: _canonical_form(item) for key, item in value.items()}
        return {"object": inside} if len(value) == 1 and next(iter(value)) in _OBJECTS else inside
    return value


_TABLES = frozenset(TABLES)
_OF_ROW = frozenset({"pk", "model", "fields", *CHILD_LISTS})
_OBJECTS = ("nonfinite", "integer", "object")
"""Keys of objects that stand for something else in canonical JSON."""


def _word(value: Any) -> str:
    return value if isinstance(value, str) else "none" if value is None else repr(value)


def natural_order(export: Export) -> dict[str, Json]:
    """Return the export's document with its lists in natural-key order (ties by primary key), as a DR holds them."""
    document = dict(export.document)
    if export.is_reference:
        return document  # its lists are values, whose order may matter
    filters = {row["pk"]: row["fields"].get("name") for row in document["filters"]}
    document["apertures"] = [_order_aperture(row, filters) for row in _by(document["apertures"], "name")]
    ages = {
        row["pk"]: row["fields"].get("logsfr_tmin")
        for a in document["apertures"]
        for row in a["starformationhistoryresult"]
    }
    for row in (row for aperture in document["apertures"] for row in aperture["sedfittingresults"]):
        if isinstance(row["fields"].get("logsfh"), list):
            row["fields"]["logsfh"] = sorted(
                row["fields"]["logsfh"], key=lambda pk: (_sortable(_name_of(ages, pk)), _sortable(pk))
            )
    for table in ("cutouts", "filters", "surveys"):
        document[table] = _by(document[table], "name")
    document["workflow_tasks"] = sorted(document["workflow_tasks"], key=lambda row: (row["task_name"], repr(row)))
    for owner in ("transient", "host"):
        document[owner] = _order_aliases(document[owner])
    return document


def _order_aperture(aperture: dict[str, Json], filters: Mapping[int, Json]) -> dict[str, Json]:
    result = dict(aperture)
    photometry = aperture["aperturephotometry"]
    result["aperturephotometry"] = sorted(
        photometry, key=lambda row: (_sortable(_name_of(filters, row["fields"].get("filter"))), row["pk"])
    )
    result["starformationhistoryresult"] = _by(aperture["starformationhistoryresult"], "logsfr_tmin")
    result["sedfittingresults"] = [
        {**row, "fields": dict(row["fields"])}
        for row in sorted(aperture["sedfittingresults"], key=lambda row: row["pk"])
    ]
    return result


def _order_aliases(row: Json) -> Json:
    if row is None or not isinstance(row["fields"].get("aliases"), list):
        return row
    return {**row, "fields": {**row["fields"], "aliases": sorted(row["fields"]["aliases"], key=str)}}


def _by(rows: Iterable[dict[str, Json]], field: str) -> list[dict[str, Json]]:
    return sorted(rows, key=lambda row: (_sortable(row["fields"].get(field)), row["pk"]))


def _sortable(value: Json) -> tuple[str, Any]:
    if isinstance(value, int | float):
        return ("1", value) if value == value else ("2", 0)  # noqa: PLR0124 (NaN has no place among numbers)
    return ("0", 0) if value is None else ("3", str(value))


def _name_of(names: Mapping[int, Json], pk: Json, otherwise: Json = None) -> Json:
    """Return the name behind a primary key, which may be anything, since it has not been checked."""
    return names.get(pk, otherwise) if isinstance(pk, int) else otherwise
