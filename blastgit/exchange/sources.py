"""Where existing transients are found: the `/data` tree of a Blast, its bucket, or a folder of its archives."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.errors import InvalidExport, InvalidFiles, InvalidName, UsageError
from blastgit.naming.names import check_transient
from blastgit.naming.paths import ROOTS
from blastgit.recording.archive import open_archive
from blastgit.recording.sources import FLAT_ROOT, flat_owners, gather
from blastgit.revision.document import SIZE_LIMIT
from blastgit.revision.export import Export, read_export
from blastgit.store.source import AnySource

if TYPE_CHECKING:
    from blastgit.store.bucket_url import Place

_ARCHIVES = (".tar.gz", ".tgz", ".tar")
_EXPORTS = ("{name}.json", "{name}/export.json", "{name}/{name}.json")
"""Where below a folder of exports that of a transient may lie."""


@dataclass(frozen=True, slots=True)
class Found:
    """A transient that may be adopted.

    Attributes:
        name: Its name, as far as can be told without reading it.
        place: The folder of Blast's data, the bucket that has them, or the archive.
        export: The file of its export; None if the archive holds it.
    """

    name: str
    place: Path | Place
    export: Path | None = None

    @property
    def source(self) -> str:
        """The file of its export, or its archive: what tells it from the others of its source."""
        return str(self.export or self.place)

    @property
    def stamp(self) -> list[int]:
        """What shows that this file was written anew since."""
        try:
            found = Path(self.source).stat()
        except OSError:
            return []
        return [found.st_mtime_ns, found.st_size]


@contextmanager
def opened(found: Found) -> Iterator[tuple[Export, Mapping[str, AnySource]]]:
    """Yield the export of a transient and its files by path in the dataset.

    Raises:
        InvalidInput: It cannot be read, or is not whole.
        StoreError: The bucket fails.
    """
    if found.export is None:
        assert isinstance(found.place, Path)
        with open_archive(found.place) as (export, files):
            yield export, files
        return
    export = _read(found.export)
    if export.name != found.name:
        raise InvalidName(f"{found.export} is about {export.name}, and should be about {found.name}")
    if isinstance(found.place, Path):
        yield export, gather(found.place, found.name, export.document)
        return
    from blastgit.recording.bucket_sources import gather_objects
    from blastgit.store.bucket import Bucket

    yield export, gather_objects(Bucket(found.place), found.name, export.document)


def find(source: Path | Place, exports: Path | None) -> Iterator[Found | tuple[str, str]]:
    """Yield the transients of a source, sorted by name; for what cannot be one, its name and why.

    Args:
        source: A folder with `cutout_cdn/` or `sed_output/`, a bucket's folder that has them, or a folder of archives.
        exports: For the first two: the folder of the exports, `NAME.json` or `NAME/export.json`; by default `exports/`
            inside a folder. Of a bucket, just those transients are taken that have an export.

    Raises:
        UsageError: It is neither.
    """
    if not isinstance(source, Path):
        if exports is None:
            raise UsageError(f"{source} holds files: give the folder of the exports with --exports")
        yield from _exported(source, exports, set())
        return
    if not source.is_dir():
        raise UsageError(f"there is no folder {source} to import from")
    if any((source / root).is_dir() for root in ROOTS):
        yield from _in_tree(source, exports or source / "exports")
        return
    archives = sorted(path for path in source.iterdir() if path.name.endswith(_ARCHIVES))
    if not archives:
        raise UsageError(
            f"{source} has neither {' nor '.join(f'{root}/' for root in ROOTS)}, nor archives ({', '.join(_ARCHIVES)})"
        )
    for path in archives:
        yield Found(path.name.removesuffix(next(end for end in _ARCHIVES if path.name.endswith(end))), path)


def _in_tree(source: Path, exports: Path) -> Iterator[Found | tuple[str, str]]:
    entries = [entry for root in ROOTS if (source / root).is_dir() for entry in os.scandir(source / root)]
    names = {entry.name for entry in entries if entry.is_dir()}
    yield from _exported(source, exports, names)
    for entry in sorted((each for each in entries if not each.is_dir()), key=lambda each: each.path):
        path = Path(entry.path).relative_to(source)
        if path.parts[0] != FLAT_ROOT or not names.intersection(flat_owners(entry.name)):
            yield str(path), "it belongs to no transient that is here"


def _exported(place: Path | Place, exports: Path, names: set[str]) -> Iterator[Found | tuple[str, str]]:
    """Yield what has files under one of `names`, or an export; adds to `names` whatever has one."""
    if not exports.is_dir():
        raise UsageError(
            f"{exports} is no folder: give that of the NAME.json files, as Blast's export_transient_info writes them, "
            "with --exports"
        )
    names.update(path.stem for path in exports.iterdir() if path.suffix == ".json" or path.is_dir())
    for name in sorted(names):
        try:
            check_transient(name)
        except InvalidName as error:
            yield name, str(error)
            continue
        export = next((path for form in _EXPORTS if (path := exports / form.format(name=name)).is_file()), None)
        if export is None:
            yield name, f"it has files and no export below {exports}"
        else:
            yield Found(name, place, export)


def _read(path: Path) -> Export:
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise InvalidExport(f"{path} has {path.stat().st_size:,} bytes, more than the {SIZE_LIMIT:,} allowed")
        return read_export(path.read_bytes(), str(path))
    except OSError as error:
        raise InvalidFiles(f"{path} cannot be read: {error.strerror}") from None
