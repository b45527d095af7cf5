"""The transients of a bucket become revision 0."""

import json

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import Sample, small
from blastgit.errors import StoreError, UsageError
from tests.s3_fixtures import bucket, credentials, make_bucket, s3_server  # noqa: F401 (fixtures)

pytestmark = pytest.mark.slow

NAMES = ["2026aa", "2026ab"]


@pytest.fixture
def exports(bucket, tmp_path):  # noqa: F811 (fixtures)
    """The folder of the exports of transients whose files are in the bucket."""
    sample, folder = small("2026dgt"), tmp_path / "exports"
    folder.mkdir()
    for name in NAMES:
        one = Sample(json.loads(sample.text.replace("2026dgt", name)), {})
        (folder / f"{name}.json").write_text(one.text)
        for path, data in sample.files.items():
            bucket.write(f"blast/data/{path.replace('2026dgt', name)}", data)
    return folder


def test_a_bucket_is_read_once(repo, bucket, exports):  # noqa: F811
    options = {"endpointurl": bucket.endpoint}
    url = f"s3://{bucket.name}/blast/data"
    bucket.write("blast/data/plots/a.png", b"a plot")
    bucket.write("blast/data/README", b"mine")
    done = DataRepo(repo).import_all(url, exports=exports, options=options)
    assert (done.adopted, done.skipped, done.strays) == (2, {}, ["README", "plots/"])
    assert DataRepo(repo).verify().problems == []
    again = DataRepo(repo).import_all(url, exports=exports, options=options)
    assert (again.present, again.untouched) == (2, 2)
    image = "blast/data/cutout_cdn/2026ab/DES/DES_z.fits"
    bucket.write(image, bucket.client.get_object(Bucket=bucket.name, Key=image.replace("_z", "_g"))["Body"].read())
    for only in ("*", "2026a*", "2026ab"):
        again = DataRepo(repo).import_all(url, exports=exports, options=options, only=only)
        assert list(again.skipped) == ["2026ab"]
        assert again.untouched == again.present
    assert "DES_z" in again.skipped["2026ab"]


def test_into_a_store_on_the_same_server(bucket, make_bucket, exports, tmp_path):  # noqa: F811
    store = make_bucket()
    options = {"endpointurl": bucket.endpoint}
    repo = DataRepo.init(tmp_path / "repo", store=f"s3://{store.name}/store", options=options, simulated=True)
    done = repo.import_all(f"s3://{bucket.name}/blast/data", exports=exports, options=options)
    assert (done.adopted, done.skipped) == (2, {})
    assert repo.verify().problems == []


def test_what_the_bucket_lacks_is_skipped(repo, bucket, exports):  # noqa: F811
    bucket.client.delete_object(Bucket=bucket.name, Key="blast/data/cutout_cdn/2026ab/DES/DES_z.fits")
    done = DataRepo(repo).import_all(
        f"s3://{bucket.name}/blast/data", exports=exports, options={"endpointurl": bucket.endpoint}
    )
    assert done.adopted == 1
    assert "DES_z.fits" in done.skipped["2026ab"]


def test_a_bucket_that_is_not_there(repo, bucket, exports):  # noqa: F811
    with pytest.raises(StoreError):
        DataRepo(repo).import_all("s3://nobody/x", exports=exports, options={"endpointurl": bucket.endpoint})
    assert DataRepo(repo).list() == []


def test_what_makes_no_sense(repo, exports, tmp_path, capsys):
    with pytest.raises(UsageError, match="--exports"):
        DataRepo(repo).import_all("s3://bucket/x")
    with pytest.raises(UsageError):
        DataRepo(repo).import_all(tmp_path, options={"region": "x"})
    assert main(["-C", str(repo), "import", "s3://b/x", "--exports", str(exports), "--source-option", "x"]) == 2
    assert "KEY=VALUE" in capsys.readouterr().err
