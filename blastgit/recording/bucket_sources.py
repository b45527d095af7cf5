"""The files of a transient in a bucket, by the path that each has in a dataset."""

from __future__ import annotations

from blastgit.naming.paths import ROOTS
from blastgit.recording.sources import Gathered, assemble, owners
from blastgit.revision.document import Json
from blastgit.store.bucket import Bucket, BucketObject


def gather_objects(bucket: Bucket, name: str, document: dict[str, Json]) -> Gathered[BucketObject]:
    """Return the objects of a transient by their path in the dataset; it takes two questions.

    Args:
        bucket: The folder that has `cutout_cdn/NAME/…` and `sed_output/NAME/…`.
        name: The transient.
        document: The export: files that its rows name must be there, under a former name of the transient too.

    Raises:
        InvalidFiles: A file is missing, collides with another, or cannot be named.
        StoreError: The bucket denies it, is not there, or fails.
    """
    folders = [f"{root}/{owner}/" for root in ROOTS for owner in owners(name, document)]  # 2026dg is not 2026dgt
    found = ((each.path_below, each) for folder in folders for each in bucket.objects(folder))
    return assemble(found, document, str(bucket))
