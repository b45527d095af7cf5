"""Recording from a bucket: unneeded files are not read, and files that the server can copy are not sent."""

import hashlib
import json

import pytest

from benchmarks import s3
from blastgit import DataRepo
from blastgit.demo import Sample, change_image, reprocess
from blastgit.errors import InvalidFiles, StoreError
from blastgit.store.bucket import Bucket
from blastgit.store.bucket_url import Place
from tests.recording.buckets.conftest import FOLDER

pytestmark = pytest.mark.slow


def text(sample: Sample) -> bytes:
    return json.dumps(sample.export).encode()


def again(sample: Sample, version: str = "v1.13.1") -> Sample:
    """The same files, as a later run leaves them."""
    later = reprocess(sample, app_version=version, export_time="2026-06-02T09:00:00+00:00", seed=1)
    return Sample(later.export, sample.files)


def contents(sample: Sample) -> set[str]:
    return {hashlib.md5(content).hexdigest() for content in sample.files.values()}


@pytest.fixture
def changed(sample: Sample) -> Sample:
    """Two other images, all else as it was."""
    files = dict(sample.files)
    for band in ("DES_g", "DES_z"):
        path = f"cutout_cdn/{sample.name}/DES/{band}.fits"
        files[path] = change_image(sample, band, seed=1).files[path]
    return Sample(sample.export, files)


def test_it_is_what_a_folder_would_give(s3_repo, repo, sample, put, blast_bucket, record):
    put(sample)
    from_bucket = DataRepo(s3_repo).record(sample.name, text(sample), blast_bucket)
    from_folder = record(repo, sample)
    assert from_bucket.reason == from_folder.reason
    digests = [DataRepo(each).show(sample.name).to_json() for each in (s3_repo, repo)]
    assert digests[0] == digests[1]
    assert DataRepo(s3_repo).verify().problems == []


def test_no_byte_of_an_unchanged_file_is_read(s3_repo, sample, put, blast_bucket, proxy):
    put(sample)
    DataRepo(s3_repo).record(sample.name, text(sample), blast_bucket)
    proxy.requests.clear()
    result = DataRepo(s3_repo).record(sample.name, text(again(sample)), blast_bucket)
    assert (result.status, result.marker is not None) == ("unchanged", True)
    assert proxy.counts == {"LIST": 2}


def test_two_changed_files_are_read_once_and_copied_by_the_server(
    s3_repo, sample, changed, put, blast_bucket, proxy, bucket
):
    put(sample)
    DataRepo(s3_repo).record(sample.name, text(sample), blast_bucket)
    put(changed)
    proxy.requests.clear()
    result = DataRepo(s3_repo).record(sample.name, text(changed), blast_bucket)
    assert [file.path for file in result.files] == ["cutout_cdn/DES/DES_g.fits", "cutout_cdn/DES/DES_z.fits"]
    read = [each.path for each in proxy.requests if each.kind == "GET" and FOLDER in each.path]
    assert len(read) == len(set(read)) == 2
    assert proxy.counts["COPY"] == 2
    assert "PUT" not in proxy.counts
    for path in (file.path for file in result.files):
        content = changed.files[path.replace("cutout_cdn/", f"cutout_cdn/{sample.name}/")]
        md5 = hashlib.md5(content).hexdigest()
        assert bucket.body(f"store/files/md5/{md5[:2]}/{md5[2:]}") == content
    assert DataRepo(s3_repo).verify().problems == []


def test_a_first_recording_sends_no_file(s3_repo, sample, put, blast_bucket, proxy):
    put(sample)
    DataRepo(s3_repo).record(sample.name, text(sample), blast_bucket)
    assert proxy.counts["COPY"] == len(contents(sample))
    assert proxy.counts["PUT"] == 1  # the store's note of who relies on it


def test_files_come_into_a_store_on_this_machine_too(repo, sample, changed, put, blast_bucket, proxy):
    put(sample)
    assert DataRepo(repo).record(sample.name, text(sample), blast_bucket).revision == 0
    put(changed)
    proxy.requests.clear()
    assert DataRepo(repo).record(sample.name, text(changed), blast_bucket).revision == 1
    assert proxy.counts == {"LIST": 2, "GET": 2}
    assert DataRepo(repo).verify().problems == []


def test_a_dry_run_reads_and_writes_nothing(repo, sample, put, blast_bucket, tree_of):
    put(sample)
    before = tree_of(repo)
    assert DataRepo(repo).record(sample.name, text(sample), blast_bucket, dry_run=True).status == "recorded"
    assert tree_of(repo) == before


def test_a_store_that_may_not_copy_is_sent_the_bytes(s3_repo, sample, put, blast_bucket, proxy):
    put(sample)
    proxy.trouble = lambda request: 403 if request.kind == "COPY" else None
    DataRepo(s3_repo).record(sample.name, text(sample), blast_bucket)
    assert proxy.counts["PUT"] == len(contents(sample)) + 1  # the store's note of who relies on it
    assert proxy.counts["COPY"] < len(contents(sample))  # it is not asked for ever
    assert DataRepo(s3_repo).verify().problems == []


def test_a_store_on_another_server_is_sent_the_bytes(tmp_path, sample, put, blast_bucket, own_server):
    _, other = own_server
    DataRepo.init(tmp_path / "far", store=other.url, options={"endpointurl": other.endpoint}, simulated=True)
    put(sample)
    assert DataRepo(tmp_path / "far").record(sample.name, text(sample), blast_bucket).revision == 0
    assert DataRepo(tmp_path / "far").verify().problems == []


def upload_in_parts(bucket: s3.Bucket, key: str, content: bytes) -> None:
    upload = bucket.client.create_multipart_upload(Bucket=bucket.name, Key=key)["UploadId"]
    cut = 5 * 1024 * 1024
    parts = []
    for number, start in enumerate(range(0, len(content), cut), 1):
        part = bucket.client.upload_part(
            Bucket=bucket.name, Key=key, UploadId=upload, PartNumber=number, Body=content[start : start + cut]
        )
        parts.append({"ETag": part["ETag"], "PartNumber": number})
    bucket.client.complete_multipart_upload(
        Bucket=bucket.name, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
    )


def test_an_upload_in_parts_is_read_to_see_that_it_is_the_same(repo, sample, put, bucket, blast_bucket, proxy):
    put(sample)
    DataRepo(repo).record(sample.name, text(sample), blast_bucket)
    path = next(path for path in sample.files if path.endswith("DES_z.fits"))
    upload_in_parts(bucket, f"{FOLDER}/{path}", sample.files[path])
    proxy.requests.clear()
    assert DataRepo(repo).record(sample.name, text(again(sample)), blast_bucket).status == "unchanged"
    assert proxy.counts == {"LIST": 2, "GET": 1}


def test_an_encrypted_bucket_is_read_for_its_etag_is_no_md5(repo, sample, put, blast_bucket, proxy, monkeypatch):
    put(sample)
    DataRepo(repo).record(sample.name, text(sample), blast_bucket)
    listed = Bucket.objects

    def encrypted(self, beginning):
        for each in listed(self, beginning):
            yield type(each)(self, each.key, each.size, hashlib.md5(each.etag.encode()).hexdigest())

    monkeypatch.setattr(Bucket, "objects", encrypted)
    monkeypatch.setattr(Bucket, "open", lambda self, key, etag, start: self._client.get_object(
        Bucket=self.place.bucket, Key=key
    )["Body"])  # fmt: skip
    proxy.requests.clear()
    assert DataRepo(repo).record(sample.name, text(again(sample)), blast_bucket).status == "unchanged"
    assert proxy.counts == {"LIST": 2, "GET": len(sample.files)}


def test_a_store_that_states_another_md5_after_a_copy_is_sent_the_bytes(
    s3_repo, sample, put, blast_bucket, proxy, monkeypatch
):
    import s3fs

    answer = s3fs.S3FileSystem.call_s3

    def encrypting(self, method, *args, **options):
        found = answer(self, method, *args, **options)
        if method == "copy_object":
            found["CopyObjectResult"]["ETag"] = '"0123456789abcdef0123456789abcdef"'
        return found

    monkeypatch.setattr(s3fs.S3FileSystem, "call_s3", encrypting)
    put(sample)
    DataRepo(s3_repo).record(sample.name, text(sample), blast_bucket)
    assert DataRepo(s3_repo).verify().problems == []


def test_a_file_that_changes_between_reading_and_copying_is_not_copied(
    s3_repo, sample, put, changed, blast_bucket, proxy, bucket
):
    put(sample)
    path = next(path for path in sample.files if path.endswith("DES_z.fits"))

    def change(request):
        if request.kind == "COPY":
            proxy.trouble = lambda _: None
            bucket.write(f"{FOLDER}/{path}", changed.files[path])

    proxy.trouble = change
    DataRepo(s3_repo).record(sample.name, text(sample), blast_bucket)
    assert DataRepo(s3_repo).verify().problems == []


def test_a_file_that_changes_after_it_was_listed_is_refused(
    repo, sample, changed, put, blast_bucket, bucket, proxy, tree_of
):
    put(sample)
    path = next(path for path in sample.files if path.endswith("DES_z.fits"))
    before = tree_of(repo)

    def change(request):
        if request.kind == "GET" and request.path.endswith("DES_z.fits"):
            proxy.trouble = lambda _: None
            bucket.write(f"{FOLDER}/{path}", changed.files[path])

    proxy.trouble = change
    with pytest.raises(InvalidFiles, match=r"DES_z\.fits changed while it was read"):
        DataRepo(repo).record(sample.name, text(sample), blast_bucket)
    assert tree_of(repo) == before


def test_a_connection_that_breaks_off_is_taken_up_where_it_broke(repo, sample, put, blast_bucket, proxy, waits):
    put(sample)
    broken = set()

    def break_once(request):
        if request.kind == "GET" and request.path not in broken:
            broken.add(request.path)
            return "truncate"
        return None

    proxy.trouble = break_once
    assert DataRepo(repo).record(sample.name, text(sample), blast_bucket).revision == 0
    assert DataRepo(repo).verify().problems == []
    files, reads = len(sample.files), [each for each in proxy.requests if each.kind == "GET"]
    assert len(reads) == 2 * files
    size = sum(map(len, sample.files.values()))
    assert sum(each.received for each in reads) < 1.2 * size + 2000 * len(reads)


def test_a_bucket_that_throttles_is_given_time(repo, sample, put, blast_bucket, proxy, waits):
    put(sample)
    slow = set()

    def throttle(request):
        if request.path not in slow:
            slow.add(request.path)
            return 503
        return None

    proxy.trouble = throttle
    assert DataRepo(repo).record(sample.name, text(sample), blast_bucket).revision == 0
    assert waits.seconds


@pytest.mark.parametrize(
    ("trouble", "words"),
    [(403, "denies this"), (503, "is too busy"), ("drop", "try again later"), (500, "fails")],
)
@pytest.mark.parametrize("kind", ["LIST", "GET"])
def test_a_bucket_in_trouble_changes_nothing(repo, sample, put, blast_bucket, proxy, tree_of, kind, trouble, words):
    put(sample)
    before = tree_of(repo)
    proxy.trouble = lambda request: trouble if request.kind == kind else None
    with pytest.raises(StoreError, match=rf"the bucket s3://\S+ .*{words}"):
        DataRepo(repo).record(sample.name, text(sample), blast_bucket)
    assert tree_of(repo) == before


def test_a_bucket_that_vanishes(repo, sample, own_server, tree_of, waits):
    server, bucket = own_server
    before = tree_of(repo)
    place = Bucket(Place("none", FOLDER, server.url), blast_patience(waits))
    with pytest.raises(StoreError, match="does not exist"):
        DataRepo(repo).record(sample.name, text(sample), place)
    server.stop()
    with pytest.raises(StoreError, match=r"cannot be reached"):
        DataRepo(repo).record(
            sample.name, text(sample), Bucket(Place(bucket.name, "", server.url), blast_patience(waits))
        )
    assert tree_of(repo) == before


def blast_patience(waits):
    from blastgit.store.failures import Patience

    return Patience((0.5,), waits)


def test_an_empty_bucket_is_no_state_of_a_transient(repo, sample, blast_bucket, tree_of):
    before = tree_of(repo)
    with pytest.raises(InvalidFiles, match=r"names .* lacks"):
        DataRepo(repo).record(sample.name, text(sample), blast_bucket)
    assert tree_of(repo) == before


def test_a_listing_that_breaks_off_in_the_middle_is_taken_up_there(repo, sample, put, blast_bucket, proxy):
    put(sample)
    proxy.page = 2
    failed = set()

    def fail_once(request):
        if request.kind == "LIST" and "continuation-token" in request.path and request.path not in failed:
            failed.add(request.path)
            return 503
        return None

    proxy.trouble = fail_once
    DataRepo(repo).record(sample.name, text(sample), blast_bucket)
    assert failed
    assert len(DataRepo(repo).show(sample.name).value["files"]) == len(sample.files)


def test_a_transient_whose_name_begins_alike_has_files_of_its_own(repo, sample, put, blast_bucket, bucket):
    put(sample)
    bucket.write(f"{FOLDER}/cutout_cdn/{sample.name}2/DES/DES_z.fits", b"another's")
    bucket.write(f"{FOLDER}/cutout_cdn/{sample.name}/", b"")  # the marker of a folder
    result = DataRepo(repo).record(sample.name, text(sample), blast_bucket)
    assert len(result.files) == len(sample.files)


def test_an_empty_object_is_refused(repo, sample, put, blast_bucket, bucket):
    put(sample)
    path = next(path for path in sample.files if path.endswith("DES_z.fits"))
    bucket.write(f"{FOLDER}/{path}", b"")
    with pytest.raises(InvalidFiles, match="is empty"):
        DataRepo(repo).record(sample.name, text(sample), blast_bucket)
