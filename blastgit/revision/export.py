"""Blast's export: its structure, checked once when it is read, and the place of each table in it.

Source: `host_utils.export_transient_info` of Blast v1.9.0 and later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from blastgit.errors import InvalidExport, InvalidInput, InvalidName
from blastgit.naming.names import check_transient, reference_line
from blastgit.revision.document import SIZE_LIMIT, Json, as_list, as_object, parse, restore_nonfinite

CHILD_LISTS = ("sedfittingresults", "aperturephotometry", "starformationhistoryresult")
"""The lists that each aperture of an export has (Blast: `host_utils.export_transient_info`)."""

REFERENCE = "reference"
"""The key of a document that is about a reference and not about a transient."""

TABLES = ("metadata", "transient", "host", "apertures", "cutouts", "filters", "surveys", "workflow_tasks", REFERENCE)
"""The keys of an export, or of the document of a reference, that this version knows."""

_LISTS = ("apertures", "cutouts", "filters", "surveys", "workflow_tasks")
_OURS = ("dataset_version", "nonfinite", "permalink")
_OF_REFERENCE = {"type", "name", "fields"}
_SED_FILES = ("posterior", "chains_file", "percentiles_file", "model_file")
_DATA_ROOTS = ("/data/cutout_cdn/", "/data/sed_output/")


@dataclass(frozen=True)
class Export:
    """A checked export, or the document of a reference, without the keys that blastgit adds on publishing.

    Attributes:
        document: The parsed JSON, NaN and infinities as floats.
        name: The transient's name; for a reference, `r/filter/DES_z`.
        time: When Blast wrote it (UTC).
        app_version: The version of Blast that wrote it, as stated in the export.
        is_published: Whether it was read from a published document, and not from one written by Blast.
    """

    document: dict[str, Json]
    name: str
    time: datetime
    app_version: str
    is_published: bool = field(default=False, compare=False, repr=False)

    @property
    def is_reference(self) -> bool:
        """Whether it is about something that many transients use, and not about a transient."""
        return REFERENCE in self.document


def read_export(data: bytes, what: str = "the export") -> Export:
    """Parse and check an export, or a published one (DR), which is turned back into what Blast wrote.

    Raises:
        InvalidExport: The document is wrong; the error names the place.
        InvalidName: The transient's name breaks the rules.
    """
    document = as_object(parse(data, what), what)
    metadata = as_object(_key(document, "metadata", what), "metadata")
    if "nonfinite" in metadata:
        pointers = as_list(metadata["nonfinite"], "metadata.nonfinite")
        restore_nonfinite(document, [pointer for pointer in pointers if isinstance(pointer, str)])
    document["metadata"] = {key: value for key, value in metadata.items() if key not in _OURS}
    is_published = document.pop("files", None) is not None
    return replace(check_export(document, what), is_published=is_published)


def read_given(export: bytes | Path) -> Export:
    """Read an export given as bytes or as a file; see `read_export`.

    Raises:
        InvalidExport: It is not one.
        InvalidInput: The file cannot be read.
    """
    if isinstance(export, bytes):
        return read_export(export)
    try:
        if export.stat().st_size > SIZE_LIMIT:
            raise InvalidExport(f"{export} has {export.stat().st_size:,} bytes, more than the {SIZE_LIMIT:,} allowed")
        return read_export(export.read_bytes(), str(export))
    except OSError as error:
        raise InvalidInput(f"{export} cannot be read: {error.strerror}") from None


def check_export(document: dict[str, Json], what: str = "the export") -> Export:
    """Check the shape of a parsed export, or of the document of a reference.

    Raises:
        InvalidExport: The document is wrong; the error names the place.
        InvalidName: The name of what it is about breaks the rules.
    """
    metadata = as_object(_key(document, "metadata", what), "metadata")
    if REFERENCE in document and "transient" not in document:
        return _checked(document, _reference_name(document), metadata)
    fields = _row(_key(document, "transient", what), "transient")
    if _key(document, "host", what) is not None:
        _row(document["host"], "host")
    for table in _LISTS:
        as_list(_key(document, table, what), table)
    for i, task in enumerate(document["workflow_tasks"]):
        _check_task(task, f"workflow_tasks[{i}]")
    for where, row in _rows(document):
        _row(row, where)
    for key in ("name", "type"):
        for i, aperture in enumerate(document["apertures"]):
            _string(aperture["fields"], key, f"apertures[{i}].fields")
    name = _string(fields, "name", "transient.fields")
    try:
        check_transient(name)
    except InvalidName as error:
        raise InvalidName(f"the export's transient: {error}") from None
    return _checked(document, name, metadata)


def _checked(document: dict[str, Json], name: str, metadata: dict[str, Json]) -> Export:
    return Export(
        document,
        name,
        _time(_string(metadata, "export_time", "metadata")),
        _string(metadata, "app_version", "metadata"),
    )


def _reference_name(document: dict[str, Json]) -> str:
    """Check the part of a document that says which reference it is about, and return its line."""
    row = as_object(document[REFERENCE], REFERENCE)
    as_object(_key(row, "fields", REFERENCE), f"{REFERENCE}.fields")
    for where, keys, known in (("the document", document, {"metadata", REFERENCE}), (REFERENCE, row, _OF_REFERENCE)):
        if strange := sorted(keys.keys() - known):
            raise InvalidExport(f"{where} of a reference has {strange[0]!r}: it holds {' and '.join(sorted(known))}")
    return reference_line(*(_string(row, key, REFERENCE) for key in ("type", "name")))


def _rows(document: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    for table in _LISTS[:-1]:
        for i, row in enumerate(document[table]):
            yield f"{table}[{i}]", row
    for i, aperture in enumerate(document["apertures"]):
        for child in CHILD_LISTS:
            for j, row in enumerate(as_list(_key(aperture, child, f"apertures[{i}]"), f"apertures[{i}].{child}")):
                yield f"apertures[{i}].{child}[{j}]", row


def _check_task(task: Json, where: str) -> None:
    _string(as_object(task, where), "task_name", where)
    status = as_object(_key(task, "status", where), f"{where}.status")
    _string(status, "message", f"{where}.status")


def _row(value: Json, where: str) -> dict[str, Json]:
    row = as_object(value, where)
    pk = _key(row, "pk", where)
    if not isinstance(pk, int) or isinstance(pk, bool):
        raise InvalidExport(f"{where}.pk should be a whole number, and is {pk!r:.40}")
    return as_object(_key(row, "fields", where), f"{where}.fields")


def _key(value: Any, key: str, where: str) -> Json:
    if key not in as_object(value, where):
        raise InvalidExport(f"{where} has no {key!r}: is this an export of Blast?")
    return value[key]


def _string(value: Any, key: str, where: str) -> str:
    text = _key(value, key, where)
    if not isinstance(text, str):
        raise InvalidExport(f"{where}.{key} should be a string, and is {text!r:.40}")
    if "\n" in text or "\x00" in text:
        raise InvalidExport(f"{where}.{key} has a line break or a null character in it")
    return text


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidExport(f"metadata.export_time is {text!r}, not a date-time in ISO 8601") from None
    if not 1980 <= moment.year < 2200:
        raise InvalidExport(f"metadata.export_time lies in the year {moment.year}: is the clock of that machine right?")
    return moment


def is_same_run(old: Export, new: Export, ignored: Collection[str] = ()) -> bool:
    """Whether two exports are of the same run of the workflow, by the times that Blast recorded for each task.

    A message delivered twice, or a second check, produces another export of the same run, which confirms nothing.

    Args:
        old: One export.
        new: The other export.
        ignored: Tasks that do not count.
    """
    times = [
        {
            task["task_name"]: task["last_modified"]
            for task in export.document.get("workflow_tasks", ())
            if task.get("last_modified") and task["task_name"] not in ignored
        }
        for export in (old, new)
    ]
    return old.app_version == new.app_version and bool(times[0]) and times[0] == times[1]


def named_files(document: dict[str, Json]) -> list[str]:
    """Return the files that an export's rows name, as Blast's paths below its data folder.

    `/data/cutout_cdn/2010H/SDSS/SDSS_r.fits` in a row becomes `cutout_cdn/2010H/SDSS/SDSS_r.fits`. The roots are frozen
    in Blast's database ("hard-coded in the object keys"), whatever its settings say.

    Raises:
        InvalidExport: A path leads out of the data folder.
    """
    named = [(cutout["fields"].get("fits"), f"cutout {cutout['fields'].get('name')}") for cutout in document["cutouts"]]
    for aperture in document["apertures"]:
        name = aperture["fields"]["name"]
        for row in aperture["sedfittingresults"]:
            named += [(row["fields"].get(key), f"{key} of {name}") for key in _SED_FILES]
    return sorted({_below_data(path, row) for path, row in named if path})


def _below_data(path: Json, row: str) -> str:
    if not isinstance(path, str) or not path.startswith(_DATA_ROOTS) or {"", ".", ".."} & set(path[1:].split("/")):
        raise InvalidExport(f"{row} names the file {path!r}, which is not below {' or '.join(_DATA_ROOTS)}")
    return path.removeprefix("/data/")
