"""The dataset revision (DR): the export as it is published, with its number and the checksums of its files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from blastgit.errors import DamagedData, InvalidExport, InvalidInput
from blastgit.naming.paths import check_paths
from blastgit.revision.document import Json, as_list, as_object, name_nonfinite, parse, restore_nonfinite, write
from blastgit.revision.export import Export, check_export

_TASKS = b'\n "workflow_tasks": ['
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class DatasetRevision:
    """A published document, read back.

    Attributes:
        export: The export in it, as Blast wrote it except for the order of lists.
        number: The revision number.
        files: The SHA-256 of each file, `{"cutout_cdn/DES/DES_z.fits": "sha256:…"}`.
        data: The bytes as published.
    """

    export: Export
    number: int
    files: Mapping[str, str]
    data: bytes

    def document(self) -> dict[str, Json]:
        """Return the whole document as published, NaN and infinities as strings."""
        return as_object(parse(self.data, "the revision"), "the revision")


def write_dr(export: Export, number: int, files: Mapping[str, str]) -> bytes:
    """Return the bytes of a DR.

    Args:
        export: The checked export.
        number: The revision number, `metadata.dataset_version`.
        files: The SHA-256 of each file as `sha256:…`, by path in the dataset.
    """
    from blastgit.revision.normalise import natural_order

    document = natural_order(export)
    metadata: dict[str, Json] = {**document["metadata"], "dataset_version": number}
    published = {**document, "metadata": metadata, "files": dict(sorted(files.items()))}
    try:
        return write(published)
    except ValueError:  # rare: the database held NaN or an infinity
        named, pointers = name_nonfinite(published)
        named["metadata"]["nonfinite"] = pointers
        return write(named)


def read_dr(data: bytes, what: str) -> DatasetRevision:
    """Read a published DR.

    Args:
        data: Its bytes.
        what: What to call it in an error.

    Raises:
        DamagedData: It is not one.
    """
    try:
        document = as_object(parse(data, what), what)
        metadata = as_object(document.get("metadata"), "metadata")
        restore_nonfinite(document, as_list(metadata.pop("nonfinite", []), "metadata.nonfinite"))
        number = metadata.pop("dataset_version", None)
        files = as_object(document.pop("files", None), "files")
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise InvalidExport(f"metadata.dataset_version is {number!r}, not a number")
        if not all(isinstance(sha256, str) and _SHA256.fullmatch(sha256) for sha256 in files.values()):
            raise InvalidExport("files should hold one sha256:… for each path")
        check_paths(list(files))
        return DatasetRevision(check_export(document, what), number, files, data)
    except InvalidInput as error:
        raise DamagedData(f"{what} is not a dataset revision: {error}") from None


def read_tasks(data: bytes, what: str) -> list[Any]:
    """Return the workflow's tasks from the bytes of a DR, without reading the rest; `write_dr` sets the layout.

    Args:
        data: The bytes.
        what: What to call it in an error.

    Raises:
        DamagedData: It is not a DR.
    """
    start = data.rfind(_TASKS)  # near the end
    end = data.find(b"\n ]", start)
    if start >= 0 and end > start:
        with suppress(ValueError):
            found = json.loads(data[start + len(_TASKS) - 1 : end + 3])
            if isinstance(found, list):
                return found
    rows: list[Any] = read_dr(data, what).export.document["workflow_tasks"]
    return rows
