"""Where existing transients are found: the `/data` tree of a Blast, or a folder of its archives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from blastgit.archive import open_archive
from blastgit.errors import InvalidExport, InvalidFiles, InvalidName, UsageError
from blastgit.names import check_transient
from blastgit.revision.document import SIZE_LIMIT
from blastgit.revision.export import Export, read_export
from blastgit.sources import ROOTS, gather

_ARCHIVES = (".tar.gz", ".tgz", ".tar")
_EXPORTS = ("{name}.json", "{name}/export.json", "{name}/{name}.json")
"""Where below a folder of exports that of a transient may lie."""


@dataclass(frozen=True, slots=True)
class Found:
    """A transient that may be adopted.

    Attributes:
        name: Its name, as far as can be told without reading it.
        place: The folder of Blast's data, or the archive.
        export: The file of its export; None if the archive holds it.
    """

    name: str
    place: Path
    export: Path | None = None


@contextmanager
def opened(found: Found) -> Iterator[tuple[Export, Mapping[str, Path]]]:
    """Yield the export of a transient and its files by path in the dataset.

    Raises:
        InvalidInput: It cannot be read, or is not whole.
    """
    if found.export is None:
        with open_archive(found.place) as (export, files):
            yield export, files
        return
    export = _read(found.export)
    if export.name != found.name:
        raise InvalidName(f"{found.export} is about {export.name}, and should be about {found.name}")
    yield export, gather(found.place, found.name, export.document)


def find(source: Path, exports: Path | None) -> Iterator[Found | tuple[str, str]]:
    """Yield the transients of a source, sorted by name; for what cannot be one, its name and why.

    Args:
        source: A folder with `cutout_cdn/` or `sed_output/`, or a folder of archives.
        exports: For the former: the folder of the exports, `NAME.json` or `NAME/export.json`; by default `exports/`
            inside it.

    Raises:
        UsageError: It is neither.
    """
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
    if not exports.is_dir():
        raise UsageError(
            f"{source} holds files and no exports: give the folder of NAME.json files, as Blast's "
            "export_transient_info writes them, with --exports"
        )
    names = {path.name for root in ROOTS if (source / root).is_dir() for path in (source / root).iterdir()}
    names = {name for name in names if any((source / root / name).is_dir() for root in ROOTS)}
    names |= {path.stem for path in exports.glob("*.json")}
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
            yield Found(name, source, export)


def _read(path: Path) -> Export:
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise InvalidExport(f"{path} has {path.stat().st_size:,} bytes, more than the {SIZE_LIMIT:,} allowed")
        return read_export(path.read_bytes(), str(path))
    except OSError as error:
        raise InvalidFiles(f"{path} cannot be read: {error.strerror}") from None
