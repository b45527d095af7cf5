"""A store in S3 is queried without DVC's libraries in plain cases; otherwise, or on failure, with DVC's client."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blastgit.store import s3_listing
from blastgit.store.config import Remote
from blastgit.store.dvc import DvcStore
from blastgit.store.s3_listing import Keys, Place, Unanswered, place, signed

HERE = Remote("store", "s3://b/data", {"endpointurl": "https://h:9000/s3"})
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
WANTED = [f"{n:032x}" for n in range(0, 2**128, 2**128 // 40)]
words = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@given(words, words, st.sampled_from(["us-east-1", "eu-central-1"]), st.sampled_from(["", "a/token+="]))
def test_it_signs_as_amazons_own_client_does(secret: str, prefix: str, region: str, token: str) -> None:
    auth = pytest.importorskip("botocore.auth")
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    where = Place("https://h:9000", region, "/b/data", prefix, Keys("key", secret, token))
    query = f"list-type=2&prefix={s3_listing._quoted(prefix)}"
    request = AWSRequest("GET", f"https://h:9000{where.path}?{query}")
    request.context.update({"payload_signing_enabled": True})
    auth.S3SigV4Auth(Credentials("key", secret, token or None), "s3", region).add_auth(request)
    moment = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    own = signed(where, "h:9000", where.path, query, moment)
    assert request.headers["X-Amz-Content-SHA256"] == own["x-amz-content-sha256"]
    assert request.headers["Authorization"] == own["authorization"]


@pytest.mark.parametrize(
    ("remote", "environment"),
    [
        (HERE, {}),
        (HERE, {"AWS_ACCESS_KEY_ID": "key"}),
        (HERE, {**KEYS, "AWS_PROFILE": "other"}),
        (HERE, {**KEYS, "AWS_ROLE_ARN": "arn:x"}),
        (HERE, {**KEYS, "HTTPS_PROXY": "http://proxy"}),
        (HERE, {**KEYS, "AWS_CA_BUNDLE": "/x.pem"}),
        (Remote("store", HERE.url, {**HERE.options, "profile": "other"}), KEYS),
        (Remote("store", HERE.url, {**HERE.options, "ssl_verify": "false"}), KEYS),
        (Remote("store", HERE.url, {**HERE.options, "allow_anonymous_login": "true"}), {}),
        (Remote("store", "s3://b/a b", HERE.options), KEYS),
        (Remote("store", "s3://b/a//b", HERE.options), KEYS),
        (Remote("store", "s3://b/data"), KEYS),
        (Remote("store", "s3://b.c/data", {"region": "eu-west-1"}), KEYS),
        (Remote("store", "s3://b/data", {"region": "cn-north-1"}), KEYS),
    ],
)
def test_what_only_dvcs_client_knows_is_left_to_it(remote: Remote, environment: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(Unanswered):
        place(remote, {"HOME": str(tmp_path), **environment})


@pytest.mark.parametrize("text", ["[default]\nendpoint_url = https://other\n", "[profile x]\nrole_arn = arn:x\n", "x"])
def test_settings_of_aws_that_say_more_than_a_region_are_left_to_it(text: str, tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text("[default]\nregion = eu-west-1\noutput = json\n")
    assert place(HERE, {"HOME": str(tmp_path), **KEYS}).keys == Keys("key", "secret")
    (tmp_path / ".aws/config").write_text(text)
    with pytest.raises(Unanswered):
        place(HERE, {"HOME": str(tmp_path), **KEYS})


def test_keys_are_those_that_dvcs_client_would_take(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    assert place(HERE, home).keys == Keys("a", "b")
    assert place(HERE, {**home, **KEYS, "AWS_SESSION_TOKEN": "t"}).keys == Keys("key", "secret", "t")
    own = Remote("store", HERE.url, {**HERE.options, "access_key_id": "c", "secret_access_key": "d"})
    assert place(own, {**home, **KEYS}).keys == Keys("c", "d")


def test_where_contents_are() -> None:
    found = place(HERE, KEYS)
    assert (found.endpoint, found.path, found.prefix) == ("https://h:9000/s3", "/s3/b", "data/files/md5/")
    amazon = place(Remote("store", "s3://b", {"region": "eu-west-1"}), KEYS)
    assert (amazon.endpoint, amazon.path, amazon.prefix) == ("https://b.s3.eu-west-1.amazonaws.com", "/", "files/md5/")


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2, 30])
def test_it_answers_as_dvcs_client_does(bucket: Any, proxy: Any, store: DvcStore, count: int) -> None:
    for md5 in WANTED[1:]:
        bucket.write(f"data/files/md5/{md5[:2]}/{md5[2:]}", md5.encode())
    bucket.write(f"data/files/md5/{WANTED[0][:2]}/{WANTED[0][2:]}.tmp", b"x")
    bucket.write("data/files/md5/x & <y>", b"x")
    proxy.page = 7
    found = store.sizes(WANTED[:count])
    assert store._folder is None
    assert found == dict.fromkeys(WANTED[1:count], 32)
    store._open()
    assert store.sizes(WANTED[:count]) == found


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["drop", "truncate", "garble", 403, 500, 503])
def test_trouble_is_met_as_dvcs_client_meets_it(bucket: Any, proxy: Any, store: DvcStore, trouble: Any) -> None:
    bucket.write(f"data/files/md5/{WANTED[1][:2]}/{WANTED[1][2:]}", b"x")
    proxy.trouble = lambda _: trouble if len(proxy.requests) == 1 else None
    assert store.sizes(WANTED[:1]) == {}
    assert store.sizes(WANTED[1:2]) == {WANTED[1]: 1}


def test_it_loads_nothing_of_dvc(bucket: Any, proxy: Any) -> None:
    program = (
        "import sys; from pathlib import Path; from blastgit.store.config import Remote\n"
        "from blastgit.store.open import open_store\n"
        f"remote = Remote('store', {bucket.url!r}, {{'endpointurl': {proxy.url!r}}})\n"
        "assert open_store(remote, Path('/nowhere')).sizes(['0' * 32, '1' * 32, '2' * 32]) == {}\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert not {"dvc", "dvc_objects", "s3fs", "botocore", "fsspec", "asyncio"} & set(done.stdout.split())
