"""Write a revision as the archive that Blast's own importer reads (`host_utils.import_transient_info`, v1.13.1).

The importer accepts less than Blast itself writes: it fails at a cutout without a path, at an unknown task, at a
missing key that an older Blast did not have, and at a star-formation row under another aperture than the fit that names
it. So the document is adapted, in ways that comparisons ignore: a revision exported to Blast and recorded again is
unchanged. The adaptations are reported.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import IO, Any

from blastgit.naming.paths import ROOTS
from blastgit.revision.document import Json
from blastgit.revision.export import CHILD_LISTS

_FOLDERS = dict(zip(ROOTS, ("cutouts", "sed_data"), strict=True))
_PATHS = {"cutouts": ("fits",), "sedfittingresults": ("posterior", "chains_file", "percentiles_file", "model_file")}
# Keys that the importer requires, and that some Blast after v1.8 did not write.
_KEYS = {
    "transient": ("display_name", "processing_status"),
    "host": ("photometric_redshift_err", "redshift_err"),
    "cutouts": ("message", "cropped", "fits"),
}
_AGES = ("16", "50", "84")
_HISTORY = "starformationhistoryresult"


@dataclass(frozen=True)
class Adapted:
    """A document for the importer.

    Attributes:
        document: The document, with non-finite numbers as numbers.
        notes: What differs from what Blast wrote, as text.
    """

    document: dict[str, Json]
    notes: tuple[str, ...]


def adapt(document: dict[str, Json], tasks: Iterable[str]) -> Adapted:
    """Return an export's document in a form that the importer accepts.

    Args:
        document: The export.
        tasks: The workflow tasks that the importing Blast knows.
    """
    adapted = deepcopy(document)
    name = str(adapted["transient"]["fields"]["name"])
    notes = [
        *_fill(adapted), *_place_files(adapted, name), *_place_histories(adapted), *_drop_tasks(adapted, set(tasks)),
    ]  # fmt: skip
    return Adapted(adapted, tuple(notes))


Files = Iterable[tuple[str, int, Iterator[bytes]]]
"""Path in the dataset, size and bytes of each file."""


def write_archive(target: IO[bytes], document: dict[str, Json], files: Files) -> None:
    """Write the archive; the same revision gives the same bytes.

    Args:
        target: The open file.
        document: The adapted document.
        files: The files.
    """
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=target, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        data = json.dumps(document).encode()
        archive.addfile(_member("transient.json", len(data)), io.BytesIO(data))
        for path, size, chunks in files:
            root, _, rest = path.partition("/")
            member = _member(f"{_FOLDERS.get(root, root)}/{rest}", size)
            archive.addfile(member, _Stream(chunks))  # type: ignore[arg-type]


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


class _Stream:
    """An iterator of chunks as a readable file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""

    def read(self, size: int) -> bytes:
        while len(self._left) < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._left += chunk
        data, self._left = self._left[:size], self._left[size:]
        return data


def _fill(document: dict[str, Json]) -> Iterator[str]:
    """Add the keys that the importer requires and an older or newer Blast did not write."""
    added: dict[str, None] = {}
    for table, keys in _KEYS.items():
        for row in _rows(document, table):
            for key in keys:
                if key not in row["fields"]:
                    row["fields"][key] = "" if key in ("message", "fits") else None
                    added[f"{table}.{key}"] = None
    for row in _rows(document, "sedfittingresults"):
        for age in _AGES:
            old, new = f"log_age_{age}", f"age_{age}"
            if old not in row["fields"]:
                row["fields"][old] = row["fields"].get(new)
                added[f"sedfittingresults.{old}"] = None
    if added:
        yield f"added what this Blast did not write: {', '.join(added)}"


def _place_files(document: dict[str, Json], name: str) -> Iterator[str]:
    """Change paths to the transient's present name, which is where the importer puts files, and null paths to ""."""
    moved = 0
    for table, fields in _PATHS.items():
        for row in _rows(document, table):
            for field in fields:
                path = row["fields"].get(field)
                parts = str(path or "").split("/")
                if len(parts) > 4 and parts[3] != name:  # /data/cutout_cdn/NAME/…
                    moved += 1
                    parts[3] = name
                row["fields"][field] = "/".join(parts)
    if moved:
        yield f"{moved} files named under {name} instead of a former name"


def _place_histories(document: dict[str, Json]) -> Iterator[str]:
    """Move star-formation rows to the aperture of the fit that names them."""
    owners = {pk: aperture["pk"] for aperture in document["apertures"] for pk in _named_rows(aperture)}
    rows: dict[int, list[Json]] = {aperture["pk"]: [] for aperture in document["apertures"]}
    moved = 0
    for aperture in document["apertures"]:
        for row in aperture[_HISTORY]:
            owner = owners.get(row["pk"], aperture["pk"])
            moved += owner != aperture["pk"]
            rows[owner].append(row)
    for aperture in document["apertures"]:
        aperture[_HISTORY] = rows[aperture["pk"]]
    if moved:
        yield f"{moved} star-formation rows moved to the aperture of the fit that names them"


def _named_rows(aperture: dict[str, Any]) -> Iterator[int]:
    for row in aperture["sedfittingresults"]:
        yield from row["fields"].get("logsfh") or []


def _drop_tasks(document: dict[str, Json], known: set[str]) -> Iterator[str]:
    unknown = [task["task_name"] for task in document["workflow_tasks"] if task["task_name"] not in known]
    if unknown:
        document["workflow_tasks"] = [task for task in document["workflow_tasks"] if task["task_name"] in known]
        yield f"tasks left out that Blast's workflow does not have: {', '.join(unknown)}"


def _rows(document: dict[str, Json], table: str) -> list[dict[str, Any]]:
    if table in CHILD_LISTS:
        return [row for aperture in document["apertures"] for row in aperture[table]]
    found = document.get(table)
    return [found] if isinstance(found, dict) else list(found or [])
