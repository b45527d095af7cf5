"""Finding the files of a transient in Blast's folders, and their paths in the dataset."""

from __future__ import annotations

import os
import re
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from blastgit.errors import InvalidFiles
from blastgit.naming.paths import ROOTS, check_new_paths, dataset_path
from blastgit.revision.document import Json
from blastgit.revision.export import named_files
from blastgit.revision.leftovers import is_leftover

if TYPE_CHECKING:
    from blastgit.store.bucket import Bucket

T = TypeVar("T")


FLAT_ROOT = ROOTS[1]
"""The root whose files may lie outside the transient's own folder: `sed_output/<transient>_global.h5`."""

_SCOPES = ("_global", "_local")

_SETTLED = 10_000_000_000  # nanoseconds; file systems have coarse times, and perhaps another clock


class Gathered(dict[str, T]):
    """Files by their path in the dataset.

    Attributes:
        ignored: Paths below Blast's data folder that were ignored as leftovers of an operating system, an editor or
            the like (`revision/leftovers.yaml`).
    """

    def __init__(self, files: Mapping[str, T], ignored: Iterable[str] = ()) -> None:
        super().__init__(files)
        self.ignored = tuple(ignored)


def find(data: Path | Bucket, name: str, document: dict[str, Json]) -> Gathered[Any]:
    """Return the files of a transient in a local folder or a bucket; see `gather`.

    Raises:
        InvalidFiles: A file is missing, collides with another, or has an invalid name.
        StoreError: The bucket denies access, does not exist, or fails.
    """
    if isinstance(data, Path):
        return gather(data, name, document)
    from blastgit.recording.bucket_sources import gather_objects

    return gather_objects(data, name, document)


def gather(data: Path, name: str, document: dict[str, Json]) -> Gathered[Path]:
    """Return the files of a transient by their path in the dataset.

    Args:
        data: The folder that holds `cutout_cdn/NAME/…` and `sed_output/NAME/…`.
        name: The transient.
        document: The export: files that its rows name must exist, also under a former name of the transient.

    Raises:
        InvalidFiles: A file is missing, leads out of the folder, collides with another, or has an invalid name.
    """
    if not data.is_dir():
        raise InvalidFiles(f"there is no folder {data}")
    found = assemble(walk(data, name, owners(name, document)), document, str(data))
    _check_links(data, list(found.values()))
    return found


def owners(name: str, document: dict[str, Json]) -> list[str]:
    """Return the names whose folders hold the files of a transient: its own, and former names found in its export.

    Raises:
        InvalidExport: The export names a file outside Blast's data folders.
    """
    return sorted({name, *(path.split("/")[1] for path in named_files(document) if path.count("/") > 1)})


def assemble(files: Iterable[tuple[str, T]], document: dict[str, Json], where: str) -> Gathered[T]:
    """Return files by their path in the dataset, sorted.

    Args:
        files: Each by its path below Blast's data folder.
        document: The export: files that its rows name must be among them.
        where: Their location, for error messages.

    Raises:
        InvalidFiles: A file is missing, collides with another, or has an invalid name.
    """
    found: dict[str, tuple[str, T]] = {}
    named = named_files(document)
    ignored = []
    for blast_path, file in files:
        if is_leftover(blast_path) and blast_path not in named:
            ignored.append(blast_path)
            continue
        path = dataset_path(blast_path)
        if path in found:
            both = " and ".join(sorted((blast_path, found[path][0])))
            raise InvalidFiles(
                f"{both} would both become {path} in the dataset: remove one of them. If the transient was renamed and "
                "run again, remove the rows and files of its former name"
            )
        found[path] = blast_path, file
    _check_named(named, {path: blast_path for path, (blast_path, _) in found.items()}, where)
    check_new_paths(list(found))
    return Gathered({path: found[path][1] for path in sorted(found)}, ignored)


def walk(data: Path, name: str, owners: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Yield the files of a transient with their path below Blast's data folder, including leftovers.

    Args:
        data: Blast's data folder.
        name: The transient.
        owners: The names whose folders hold its files; see `owners`.
    """
    for root in ROOTS:
        for owner in owners:
            yield from _files_below(data / root / owner, f"{root}/{owner}")
    flat = data / FLAT_ROOT
    files = _files_in(flat)
    for start in (f"{name}{scope}" for scope in _SCOPES):
        for at in range(bisect_left(files, start), len(files)):
            if not files[at].startswith(start):
                break
            yield f"{FLAT_ROOT}/{files[at]}", flat / files[at]


def flat_owners(file: str) -> set[str]:
    """Return the transients that a file directly in `FLAT_ROOT` may belong to, by its name."""
    return {file[: found.start()] for scope in _SCOPES for found in re.finditer(scope, file)}


def _files_in(folder: Path) -> tuple[str, ...]:
    """Return the names of the files directly in a folder, sorted.

    The folder may hold a subfolder for each of very many transients, so its listing is cached until the folder's time
    changes. A listing made so soon after a change that the next change could have the same time is not cached.
    """
    try:
        changed = folder.stat().st_mtime_ns
        if time.time_ns() - changed > _SETTLED:
            return _listed(folder, changed)
        return _listed.__wrapped__(folder, changed)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise InvalidFiles(f"{folder} cannot be read: {error.strerror}") from None


@lru_cache(maxsize=4)
def _listed(folder: Path, _changed: int) -> tuple[str, ...]:
    with os.scandir(folder) as entries:
        return tuple(sorted(entry.name for entry in entries if entry.is_file()))


def _files_below(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    if not folder.is_dir():
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InvalidFiles(f"{folder} cannot be read: {error.strerror}") from None
    for entry in entries:
        path = f"{prefix}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            yield from _files_below(Path(entry.path), path)
        else:
            yield path, Path(entry.path)


def _check_named(named: list[str], found: Mapping[str, str], where: str) -> None:
    missing = [path for path in named if found.get(dataset_path(path)) not in (path, _flat(path))]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InvalidFiles(f"the export names {missing[0]}{more}, which {where} lacks: is the workflow still running?")


def _flat(path: str) -> str:
    return dataset_path(path) if path.startswith(f"{FLAT_ROOT}/") else path


def _check_links(data: Path, files: list[Path]) -> None:
    inside = os.path.realpath(data) + os.sep
    owners = {_owner_folder(data, file) for file in files}  # below them, links to folders are not followed
    outside = any(not (os.path.realpath(owner) + os.sep).startswith(inside) for owner in owners)
    for file in files:
        if not outside and not file.is_symlink():
            continue  # most files: resolving each path takes ten times as long
        if not os.path.realpath(file).startswith(inside):
            raise InvalidFiles(f"{file} is a link that leads out of {data}")
        if file.is_dir():
            raise InvalidFiles(f"{file} is a link to a folder: only files are recorded")


def _owner_folder(data: Path, file: Path) -> str:
    """Return the transient's folder that a file is in, or the flat one."""
    below = str(file)[len(str(data)) :].lstrip(os.sep).split(os.sep)
    return os.path.join(data, *below[: min(2, len(below) - 1)])
