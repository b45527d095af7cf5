"""Files by address: the recorded bytes, in ranges, all together, and from pages of other servers."""

import hashlib
import io
import json
import zipfile

from blastgit import DataRepo
from tests.serve.conftest import WITHDRAWN

IMAGE = "cutout_cdn/DES/DES_z.fits"


def recorded(shelf, tmp_path):
    DataRepo(shelf).get("2026dgt@0", tmp_path / "got")
    return (tmp_path / "got" / IMAGE).read_bytes()


def test_a_file_in_whole_and_in_parts(app, shelf, tmp_path):
    data = recorded(shelf, tmp_path)
    whole = app.get(f"/files/2026dgt@0/{IMAGE}")
    assert whole.data == data
    assert whole.headers["ETag"].strip('"') == hashlib.sha256(data).hexdigest()
    assert (whole.headers["Accept-Ranges"], whole.mimetype) == ("bytes", "application/fits")
    for asked, begin, end in (("bytes=0-99", 0, 100), ("bytes=100-", 100, len(data)), ("bytes=-10", -10, len(data))):
        part = app.get(f"/files/2026dgt@0/{IMAGE}", headers={"Range": asked})
        assert part.status_code == 206
        assert part.data == data[begin:end]
        assert part.headers["Content-Range"].endswith(f"/{len(data)}")
    assert app.get(f"/files/2026dgt@0/{IMAGE}", headers={"Range": "bytes=99999999-"}).status_code == 416
    other = app.get(f"/files/2026dgt@0/{IMAGE}", headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (other.status_code, other.data) == (200, data)


def test_it_is_asked_for_once(app):
    whole = app.get(f"/files/2026dgt@0/{IMAGE}")
    same = app.get(f"/files/2026dgt@0/{IMAGE}", headers={"If-None-Match": whole.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    head = app.head(f"/files/2026dgt@0/{IMAGE}")
    assert (head.data, head.headers["Content-Length"]) == (b"", str(len(whole.data)))


def test_pages_of_other_servers_may_read_it(app):
    said = app.open(f"/files/2026dgt@0/{IMAGE}", method="OPTIONS")
    assert said.headers["Access-Control-Allow-Origin"] == "*"
    assert "Range" in said.headers["Access-Control-Allow-Headers"]
    assert app.post(f"/files/2026dgt@0/{IMAGE}").status_code == 405


def test_what_is_not_to_be_relied_on_is_given_to_those_who_insist(app):
    path = "/files/2026bad@0/sed_output/2026bad_global_chain.npz"
    assert app.get(path).status_code == 409
    assert app.get(f"{path}?even_invalid=1").status_code == 200


def test_the_list_and_the_zip(app, shelf, tmp_path):
    files = json.loads(app.get("/files/2026dgt@1.json").data)["files"]
    assert {each["path"]: each["state"] for each in files}[WITHDRAWN] == "withdrawn"
    for each in files:
        if each["state"] == "ok":
            assert hashlib.sha256(app.get(each["url"]).data).hexdigest() == each["sha256"]
    packed = zipfile.ZipFile(io.BytesIO(app.get("/files/2026dgt@1.zip").data))
    assert packed.testzip() is None
    there = {name.removeprefix("2026dgt@1/") for name in packed.namelist()}
    assert there == {each["path"] for each in files if each["state"] == "ok"} | {"2026dgt.json"}


def test_a_picture_in_each_form(app):
    base = f"/image/2026dgt@0/{IMAGE}"
    assert app.get(f"{base}.png?side=64").data.startswith(b"\x89PNG")
    svg = app.get(f"{base}.svg").text
    assert svg.count("<ellipse") == 2
    facts = json.loads(app.get(f"{base}.json").data)
    assert facts["wcs"]["projection"] == "TAN"
    assert len(app.get(f"{base}.f32").data) == 4 * facts["width"] * facts["height"]
    assert app.get(f"/image/2026dgt/{IMAGE}.png").status_code == 404
    assert app.get(f"{base}.png?side=x").status_code == 400
