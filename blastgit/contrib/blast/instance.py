"""The Blast that this runs in: its exports, its bucket, and how far the workflow of each transient has come."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from blastgit.errors import Busy, UsageError
from blastgit.revision.export import Export
from blastgit.store.bucket import Bucket, BucketObject
from blastgit.store.bucket_url import Place

TRIED = ((1, 9), (1, 13))
"""The first and the last version of Blast whose exports blastgit was tried with."""

_ENDED = ("completed", "blocked")
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.\d+)*")


@dataclass(frozen=True)
class Standing:
    """How far the workflow of a transient has come.

    Attributes:
        name: The transient.
        changed: When a task last changed, as the worker's clock had it; only ever compared with itself.
        has_ended: Whether Blast's own last task says that it is over.
    """

    name: str
    changed: str
    has_ended: bool


def export_of(name: str) -> bytes | None:
    """Return the export that Blast writes now; None if it has no such transient."""
    from host.host_utils import export_transient_info

    document = export_transient_info(name) if name else None
    return json.dumps(document).encode() if document else None


class BucketOfState(Bucket):
    """Blast's bucket for one recording: what it lists belongs to the export, or it says that it does not.

    A task says that it is at work before it touches a file, and what is read later is still what was listed. So if no
    task has changed from the export until the list is there, no file in it is of another run.
    """

    def __init__(self, place: Place, name: str, changed: str | None) -> None:
        """Prepare to read the files of a transient whose tasks stand as they did in its export."""
        super().__init__(place)
        self._name = name
        self._changed = changed

    def objects(self, beginning: str) -> Iterator[BucketObject]:
        """Yield the objects of the folder whose path begins so.

        Raises:
            Busy: The workflow has gone on since the export.
        """
        yield from super().objects(beginning)
        if changed_now(self._name) != self._changed:
            raise Busy(f"the workflow of {self._name} went on while it was recorded; at its end it is recorded anew")


def place_of(environment: Mapping[str, str]) -> Place:
    """Return where Blast keeps its files, by the variables that its own `ObjectStore` reads.

    Raises:
        UsageError: They name no bucket.
    """
    if not environment.get("S3_BUCKET"):
        raise UsageError("Blast's variable S3_BUCKET is not set: where are its files?")
    base = environment.get("S3_BASE_PATH", "").strip("/")
    return Place(
        environment["S3_BUCKET"],
        f"{base}/data".lstrip("/"),  # a row's `/data/cutout_cdn/…` is appended to the base as it is
        environment.get("S3_ENDPOINT_URL") or None,
        environment.get("S3_REGION_NAME") or None,
        environment.get("AWS_S3_ACCESS_KEY_ID") or None,
        environment.get("AWS_S3_SECRET_ACCESS_KEY") or None,
    )


def changed_in(export: Export) -> str | None:
    """Return what `Standing.changed` was when an export was written; None if no task had run yet."""
    noted = [task.get("last_modified") for task in export.document["workflow_tasks"]]
    times = [datetime.fromisoformat(time) for time in noted if time]
    return max(times).isoformat() if times else None


def changed_now(name: str) -> str | None:
    """Return when a task of a transient last changed, as Blast's database has it now; None if none ever did."""
    from django.db.models import Max
    from host.models import TaskRegister

    changed = TaskRegister.objects.filter(transient__name=name).aggregate(at=Max("last_modified"))["at"]
    return None if changed is None else str(changed.isoformat())


def standings() -> Iterator[Standing]:
    """Yield how far the workflow of each transient has come, those that changed last first; it takes one query.

    A workflow that was begun anew still has the verdict of the one before, until its first task is done; so one with a
    task at work, or with none done, has not ended.
    """
    from django.db.models import Count, Max, Q
    from host.models import TaskRegister

    rows = TaskRegister.objects.values_list("transient__name", "transient__processing_status").annotate(
        changed=Max("last_modified"),
        working=Count("pk", filter=Q(status__message="processing")),
        done=Count("pk", filter=~Q(status__message="not processed")),
    )
    for name, verdict, changed, working, done in rows.order_by("-changed"):
        if changed is not None:
            yield Standing(name, changed.isoformat(), verdict in _ENDED and not working and bool(done))


def doubt_about(app_version: str) -> str | None:
    """Return what to say of an export of a version that blastgit was not tried with, or None."""
    found = _VERSION.fullmatch(app_version)
    if found and TRIED[0] <= (int(found[1]), int(found[2])) <= TRIED[1]:
        return None
    first, last = (".".join(map(str, each)) for each in TRIED)
    return (
        f"it was exported by Blast {app_version!r}, and this blastgit was tried with {first} to {last}: it is recorded "
        "as it is, and fields that are new count as they stand"
    )
