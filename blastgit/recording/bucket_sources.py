"""The files of a transient in a bucket, by their path in the dataset."""

from __future__ import annotations

from blastgit.naming.paths import ROOTS
from blastgit.recording.sources import Gathered, assemble, owners
from blastgit.revision.document import Json
from blastgit.store.bucket import Bucket, BucketObject


def gather_objects(bucket: Bucket, name: str, document: dict[str, Json]) -> Gathered[BucketObject]:
    """Return the objects of a transient by their path in the dataset, with two requests per owner.

    Args:
        bucket: The folder that has `cutout_cdn/NAME/…` and `sed_output/NAME/…`.
        name: The transient.
        document: The export: files that its rows name must exist, also under a former name of the transient.

    Raises:
        InvalidFiles: A file is missing, collides with another, or has an invalid name.
        StoreError: The bucket denies access, does not exist, or fails.
    """
    # the slash at the end tells 2026dg from 2026dgt
    folders = [f"{root}/{owner}/" for root in ROOTS for owner in owners(name, document)]
    found = ((each.path_below, each) for folder in folders for each in bucket.objects(folder))
    return assemble(found, document, str(bucket))
