"""The document of a reference: something that many transients use, such as a filter or a trained model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from blastgit.naming.names import reference_type
from blastgit.revision.document import Json
from blastgit.revision.export import REFERENCE, Export, check_export


def make_reference(line: str, fields: Mapping[str, Json], time: datetime, app_version: str) -> Export:
    """Return the document of a reference, checked.

    Args:
        line: The reference, `r/filter/DES_z`.
        fields: Its values, by name.
        time: When it became valid; the time of the export, if it comes from one.
        app_version: The version of the software that made it, or "".

    Raises:
        InvalidExport: A value cannot be published.
    """
    document: dict[str, Json] = {
        "metadata": {"app_version": app_version, "export_time": time.astimezone(UTC).isoformat()},
        REFERENCE: {"type": reference_type(line), "name": line.rpartition("/")[2], "fields": dict(fields)},
    }
    return check_export(document, line)


def fields_of(export: Export) -> dict[str, Json]:
    """Return the values in the document of a reference, by name."""
    return dict(export.document[REFERENCE]["fields"])
