"""The Blast instance in which this runs: its exports, its bucket, and the data repo of its workers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from blastgit.errors import Busy, RepoError, UsageError
from blastgit.repository.location import local_path
from blastgit.store.bucket import Bucket, BucketObject
from blastgit.store.bucket_url import Place

TRIED = ((1, 9), (1, 13))
"""The first and the last version of Blast whose exports blastgit was tested with."""

_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.\d+)*")


def export_of(name: str) -> bytes | None:
    """Return the current export of a transient; None if Blast has no such transient."""
    from host.host_utils import export_transient_info

    document = export_transient_info(name) if name else None
    return json.dumps(document).encode() if document else None


class BucketOfState(Bucket):
    """Blast's bucket for one recording: it only lists files that belong to the export, or raises an error.

    A task registers that it is running before it changes a file, and files are read in the version that was listed. So
    if no task has changed between the export and the end of the listing, no listed file belongs to another run.
    """

    def __init__(self, place: Place, name: str, changed: str) -> None:
        """Prepare to read the files of a transient; `changed` is when a task last changed, according to its export."""
        super().__init__(place)
        self._name = name
        self._changed = changed

    def objects(self, beginning: str) -> Iterator[BucketObject]:
        """Yield the objects whose path starts with `beginning`.

        Raises:
            Busy: The workflow has continued since the export.
        """
        yield from super().objects(beginning)
        if changed_now(self._name) != self._changed:
            raise Busy(f"the workflow of {self._name} went on while it was recorded; its new run ends with a recording")


def place_of(environment: Mapping[str, str]) -> Place:
    """Return where Blast stores its files, from the variables that its own `ObjectStore` reads.

    Raises:
        UsageError: The variables do not name a bucket.
    """
    if not environment.get("S3_BUCKET"):
        raise UsageError("Blast's variable S3_BUCKET is not set: where are its files?")
    base = environment.get("S3_BASE_PATH", "").strip("/")
    return Place(
        environment["S3_BUCKET"],
        f"{base}/data".lstrip("/"),  # the path in a row, `/data/cutout_cdn/…`, is appended to the base unchanged
        environment.get("S3_ENDPOINT_URL") or None,
        environment.get("S3_REGION_NAME") or None,
        environment.get("AWS_S3_ACCESS_KEY_ID") or None,
        environment.get("AWS_S3_SECRET_ACCESS_KEY") or None,
    )


def repo_location(environment: Mapping[str, str]) -> str:
    """Return the location of the data repo.

    Raises:
        UsageError: The location is not set.
        RepoError: The location is a folder that does not exist on this worker.
    """
    location = environment.get("BLASTGIT_REPO")
    if not location:
        raise UsageError("which data repo? Set BLASTGIT_REPO for the workers that record")
    folder = local_path(location)
    if folder is not None and not folder.exists():
        raise RepoError(
            f"this worker sees no data repo at {folder}: is its volume mounted here, and is BLASTGIT_REPO right?"
        )
    return location


def changed_now(name: str) -> str:
    """Return when a task of a transient last changed, according to Blast's database; "" if none ever did."""
    from django.db.models import Max
    from host.models import TaskRegister

    changed = TaskRegister.objects.filter(transient__name=name).aggregate(at=Max("last_modified"))["at"]
    return "" if changed is None else str(changed.isoformat())


def doubt_about(app_version: str) -> str | None:
    """Return a warning about an export of a version that blastgit was not tested with, or None."""
    found = _VERSION.fullmatch(app_version)
    if found and TRIED[0] <= (int(found[1]), int(found[2])) <= TRIED[1]:
        return None
    first, last = (".".join(map(str, each)) for each in TRIED)
    return (
        f"it is from Blast {app_version!r}, but this blastgit was tested with {first} to {last}: it is recorded "
        "unchanged, and new fields are treated as significant"
    )
