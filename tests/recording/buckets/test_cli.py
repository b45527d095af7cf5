"""`blastgit record NAME --data s3://…`."""

import json

import pytest

from blastgit.cli import main
from tests.recording.buckets.conftest import FOLDER

pytestmark = pytest.mark.slow


def test_the_data_may_lie_in_a_bucket(repo, sample, put, bucket, proxy, tmp_path, monkeypatch, capsys):
    put(sample)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    (tmp_path / "export.json").write_text(json.dumps(sample.export))
    words = ["-C", str(repo), "record", sample.name, "--export", str(tmp_path / "export.json"), "--data"]
    assert main([*words, f"s3://{bucket.name}/{FOLDER}"]) == 0
    assert f"{sample.name} recorded as revision 0" in capsys.readouterr().out
    assert main([*words, f"s3://{bucket.name}/elsewhere"]) == 4
    assert f"which s3://{bucket.name}/elsewhere lacks" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["s3://", "s3:///folder", "s3://key@bucket/x", "s3://bucket/x?y"])
def test_a_place_that_is_none_is_refused(repo, sample, tmp_path, place, capsys):
    export, _ = sample.write(tmp_path)
    assert main(["-C", str(repo), "record", sample.name, "--export", str(export), "--data", place]) == 2
    assert "s3://BUCKET/FOLDER" in capsys.readouterr().err
