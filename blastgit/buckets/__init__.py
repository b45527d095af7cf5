"""Files that lie in a bucket of S3, as Blast's do: found, recognised by their ETag, read once, copied by the server.

bucket = Bucket(Place("blast-astro-data", "apps/blast/processed-transient-data/data", endpoint="https://…"))
for object in bucket.objects("cutout_cdn/2026dgt/"):   # each is a `Source`: see `blastgit.store.source`
    print(object.path_below, object.size, object.md5)
repo.record("2026dgt", export, bucket)
"""

from blastgit.buckets.bucket import Bucket, BucketObject
from blastgit.buckets.gather import gather_objects
from blastgit.buckets.place import Place, place_of_url

__all__ = ["Bucket", "BucketObject", "Place", "gather_objects", "place_of_url"]
