"""Finding the files of a transient where Blast left them, and the path that each has in a dataset."""

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
"""Where files of the seed lie without a folder of the transient's own: `sed_output/<transient>_global.h5`."""

_SCOPES = ("_global", "_local")

_SETTLED = 10_000_000_000  # nanoseconds; a file system notes times more coarsely, and its clock may be another one


class Gathered(dict[str, T]):
    """Files by their path in the dataset.

    Attributes:
        ignored: Paths below Blast's data folder of what was passed over, since an operating system, an editor or the
            like left it there (`revision/leftovers.yaml`).
    """

    def __init__(self, files: Mapping[str, T], ignored: Iterable[str] = ()) -> None:
        super().__init__(files)
        self.ignored = tuple(ignored)


def find(data: Path | Bucket, name: str, document: dict[str, Json]) -> Gathered[Any]:
    """Return the files of a transient, in a folder of this machine or of a bucket; see `gather`.

    Raises:
        InvalidFiles: A file is missing, collides with another, or cannot be named.
        StoreError: The bucket denies it, is not there, or fails.
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
        document: The export: files that its rows name must be there, under a former name of the transient too.

    Raises:
        InvalidFiles: A file is missing, leads out of the folder, collides with another, or cannot be named.
    """
    if not data.is_dir():
        raise InvalidFiles(f"there is no folder {data}")
    found = assemble(walk(data, name, owners(name, document)), document, str(data))
    _check_links(data, list(found.values()))
    return found


def owners(name: str, document: dict[str, Json]) -> list[str]:
    """Return whose folders hold the files of a transient: its own, and those of names that it had, by its export.

    Raises:
        InvalidExport: The export names a file elsewhere.
    """
    return sorted({name, *(path.split("/")[1] for path in named_files(document) if path.count("/") > 1)})


def assemble(files: Iterable[tuple[str, T]], document: dict[str, Json], where: str) -> Gathered[T]:
    """Return files by their path in the dataset, sorted.

    Args:
        files: Each by its path below Blast's data folder.
        document: The export: files that its rows name must be among them.
        where: Where they lie, for people.

    Raises:
        InvalidFiles: A file is missing, collides with another, or cannot be named.
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
                f"{both} would both become {path} in the dataset: one of them has to go; where a transient was renamed "
                f"and run again, the rows and files of its former name"
            )
        found[path] = blast_path, file
    _check_named(named, {path: blast_path for path, (blast_path, _) in found.items()}, where)
    check_new_paths(list(found))
    return Gathered({path: found[path][1] for path in sorted(found)}, ignored)


def walk(data: Path, name: str, owners: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Yield the files of a transient by their path below Blast's data folder, leftovers of other programs among them.

    Args:
        data: Blast's data folder.
        name: The transient.
        owners: Whose folders hold its files; see `owners`.
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
    """Return the transients that a file right in `FLAT_ROOT` may belong to, by its name."""
    return {file[: found.start()] for scope in _SCOPES for found in re.finditer(scope, file)}


def _files_in(folder: Path) -> tuple[str, ...]:
    """Return the names of the files right in a folder, sorted.

    It may hold a folder for each of very many transients, and is not listed for each of them: a list serves until the
    folder's time changes. One made so soon after a change that another could bear the same time serves only once.
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
    owners = {_owner_folder(data, file) for file in files}  # below them no link to a folder is followed
    outside = any(not (os.path.realpath(owner) + os.sep).startswith(inside) for owner in owners)
    for file in files:
        if not outside and not file.is_symlink():
            continue  # most files: looking at each path as a whole takes ten times as long
        if not os.path.realpath(file).startswith(inside):
            raise InvalidFiles(f"{file} is a link that leads out of {data}")
        if file.is_dir():
            raise InvalidFiles(f"{file} is a link to a folder: only files are recorded")


def _owner_folder(data: Path, file: Path) -> str:
    """Return the folder of a transient that a file lies in, or the flat one."""
    below = str(file)[len(str(data)) :].lstrip(os.sep).split(os.sep)
    return os.path.join(data, *below[: min(2, len(below) - 1)])
