"""Find existing transients: in the `/data` tree of a Blast, its bucket, or a folder of its archives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blastgit.errors import InvalidExport, InvalidFiles, InvalidName, StoreError, UsageError
from blastgit.exchange.seen import Look, look_of, stamp
from blastgit.naming.names import check_transient
from blastgit.naming.paths import ROOTS
from blastgit.recording.archive import open_archive
from blastgit.recording.sources import FLAT_ROOT, Gathered, flat_owners, gather
from blastgit.revision.document import SIZE_LIMIT
from blastgit.revision.export import Export, read_export
from blastgit.revision.leftovers import is_leftover

if TYPE_CHECKING:
    from blastgit.store.bucket_url import Place

_ARCHIVES = (".tar.gz", ".tgz", ".tar")
_EXPORTS = ("{name}.json", "{name}/export.json", "{name}/{name}.json")
"""The possible paths of a transient's export below the folder of exports."""


@dataclass(frozen=True, slots=True)
class Found:
    """A transient that may be adopted.

    Attributes:
        name: Its name, judged by the file's name.
        place: The folder or bucket of Blast's data, or the archive.
        export: The file of its export; None if it is in the archive.
    """

    name: str
    place: Path | Place
    export: Path | None = None

    @property
    def source(self) -> str:
        """The file of its export, or its archive: unique within its source."""
        return str(self.export or self.place)


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened transient.

    Attributes:
        export: Its export.
        files: Its files by path in the dataset.
        stamp: The stamp of its export or archive, taken before it was read.
        look: The look of its files, taken before they are read.
    """

    export: Export
    files: Gathered[Any]
    stamp: list[int]
    look: Look


@contextmanager
def opened(found: Found) -> Iterator[Opened]:
    """Open a transient.

    Raises:
        InvalidInput: It cannot be read, or is incomplete.
        StoreError: The bucket fails.
    """
    before = stamp(Path(found.source))
    if found.export is None:
        assert isinstance(found.place, Path)
        with open_archive(found.place) as (export, files):
            yield Opened(export, files, before, {})
        return
    export = _read(found.export)
    if export.name != found.name:
        raise InvalidName(f"{found.export} is about {export.name}, and should be about {found.name}")
    if isinstance(found.place, Path):
        gathered: Gathered[Any] = gather(found.place, found.name, export.document)
        yield Opened(export, gathered, before, look_of(gathered.values(), found.place))
        return
    from blastgit.recording.bucket_sources import gather_objects
    from blastgit.store.bucket import Bucket

    gathered = gather_objects(Bucket(found.place), found.name, export.document)
    yield Opened(export, gathered, before, look_of(gathered.values(), None))


def find(source: Path | Place, exports: Path | None) -> Iterator[Found | tuple[str, str | None]]:
    """Yield the transients of a source, sorted by name; for what cannot be imported, its name and the reason.

    For leftovers of other programs, which are ignored, the reason is None.

    Args:
        source: A folder with `cutout_cdn/` or `sed_output/`, a bucket's folder that has them, or a folder of archives.
        exports: For the first two: the folder of the exports, `NAME.json` or `NAME/export.json`; by default `exports/`
            inside a folder. From a bucket, only transients with an export are taken.

    Raises:
        UsageError: The source is none of these.
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
        if is_leftover(path.name):
            yield path.name, None
            continue
        yield Found(path.name.removesuffix(next(end for end in _ARCHIVES if path.name.endswith(end))), path)


def strays_in(source: Path | Place, exports: Path | None) -> list[str]:
    """Return the entries of a folder or bucket that are not read, sorted; for a folder of archives nothing.

    Args:
        source: The source of the import.
        exports: The folder of the exports; None for `exports/` inside it.
    """
    if not isinstance(source, Path):
        return _strays_in_bucket(source)
    if not any((source / root).is_dir() for root in ROOTS):
        return []
    known = {(source / root).resolve() for root in ROOTS} | {(exports or source / "exports").resolve()}
    left = (entry for entry in source.iterdir() if entry.resolve() not in known and not is_leftover(entry.name))
    return sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in left)


def _strays_in_bucket(place: Place) -> list[str]:
    from blastgit.store.bucket import Bucket

    try:
        entries = Bucket(place).entries()
    except StoreError:
        return []  # an import does not need the right to list anything else
    return [name for name in entries if name.rstrip("/") not in ROOTS and not is_leftover(name)]


def _in_tree(source: Path, exports: Path) -> Iterator[Found | tuple[str, str | None]]:
    entries = [entry for root in ROOTS if (source / root).is_dir() for entry in os.scandir(source / root)]
    # Leftovers of a transient directly in the root are counted with the transient.
    left = [entry.path for entry in entries if is_leftover(entry.name) and not flat_owners(entry.name)]
    entries = [entry for entry in entries if not is_leftover(entry.name)]
    yield from ((str(Path(path).relative_to(source)), None) for path in sorted(left))
    names = {entry.name for entry in entries if entry.is_dir()}
    yield from _exported(source, exports, names)
    for entry in sorted((each for each in entries if not each.is_dir()), key=lambda each: each.path):
        path = Path(entry.path).relative_to(source)
        if path.parts[0] != FLAT_ROOT or not names.intersection(flat_owners(entry.name)):
            yield str(path), "it belongs to none of the transients here"


def _exported(place: Path | Place, exports: Path, names: set[str]) -> Iterator[Found | tuple[str, str | None]]:
    """Yield the transients `names`, and those that have an export, which are added to `names`."""
    if not exports.is_dir():
        raise UsageError(
            f"{exports} is not a folder: give that of the NAME.json files that Blast's export_transient_info writes, "
            "with --exports"
        )
    for path in sorted(exports.iterdir()):
        if is_leftover(path.name):
            yield path.name, None
        elif path.suffix == ".json" or path.is_dir():
            names.add(path.stem)
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
