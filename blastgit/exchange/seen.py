"""Detect changes in the files of an imported transient without reading them.

Files on this machine are compared by size, mtime and ctime (which no copying sets back), objects in a bucket by ETag.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blastgit.errors import InvalidFiles
from blastgit.naming.paths import ROOTS
from blastgit.recording.sources import walk
from blastgit.revision.leftovers import is_leftover

if TYPE_CHECKING:
    from blastgit.store.bucket import Bucket, BucketObject

Look = dict[str, str]
"""A digest for each folder below Blast's data folder that has files of a transient."""


def stamp(file: Path) -> list[int]:
    """Return the times and size of a file, by which a rewrite can be detected; [] if it does not exist."""
    try:
        found = file.stat()
    except OSError:
        return []
    return [found.st_mtime_ns, found.st_ctime_ns, found.st_size]


def look_of(files: Iterable[Any], data: Path | None) -> Look:
    """Return the look of gathered files.

    Args:
        files: Paths below `data`, or objects of a bucket.
        data: Blast's data folder; None for a bucket.
    """
    if data is None:
        seen = [(each.path_below, _of_object(each)) for each in files]
    else:
        seen = [(file.relative_to(data).as_posix(), stamp(file)) for file in files]
    return dict(_digests(sorted(seen, key=lambda file: (_folder(file[0]), file[0]))))


class Seen:
    """The present look of the files of any transient of one source."""

    def __init__(self, place: Path | Bucket, beginning: str = "") -> None:
        """Prepare, reading nothing yet.

        Args:
            place: Blast's data folder, or the bucket that has it.
            beginning: The common prefix of all transients that will be asked for. A bucket is listed at once below it,
                which takes one request per thousand objects instead of two per transient.
        """
        self._place = place
        self._beginning = beginning
        self._listed: Look | None = None

    def look(self, name: str, before: Mapping[str, str]) -> Look:
        """Return the look of the files of a transient, in its own folders and in those that had some `before`.

        Raises:
            StoreError: The bucket fails.
        """
        owners = sorted({name, *(folder.split("/")[1] for folder in before if "/" in folder)})
        if isinstance(self._place, Path):
            try:
                return look_of((file for _, file in walk(self._place, name, owners)), self._place)
            except InvalidFiles:
                return {}  # reported when they are read
        listed = self._list(self._place)
        folders = [f"{root}/{owner}" for root in ROOTS for owner in owners]
        return {folder: listed[folder] for folder in folders if folder in listed}

    def _list(self, bucket: Bucket) -> Look:
        if self._listed is None:
            objects = (each for root in ROOTS for each in bucket.objects(f"{root}/{self._beginning}"))
            self._listed = dict(_digests((each.path_below, _of_object(each)) for each in objects))
        return self._listed


def _of_object(found: BucketObject) -> list[Any]:
    return [found.etag, found.size]


def _digests(files: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield each folder with the digest of its files, which must be grouped by folder."""
    kept = ((path, seen) for path, seen in files if not is_leftover(path))
    for folder, group in groupby(kept, key=lambda file: _folder(file[0])):
        digest = sha256("".join(f"{path}\0{seen}\n" for path, seen in group).encode("utf-8", "surrogateescape"))
        yield folder, digest.hexdigest()


def _folder(path: str) -> str:
    """Return the transient's folder that contains a file, or the root if there is none."""
    return "/".join(path.split("/")[: min(2, path.count("/"))])
