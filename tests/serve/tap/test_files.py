"""Files by address: exactly the recorded bytes, and never damaged ones."""

import hashlib
import json
import urllib.parse

import pytest

from blastgit import DataRepo
from blastgit.errors import NotFound
from blastgit.repository.history import History

IMAGE = "cutout_cdn/DES/DES_z.fits"


def original(sky, name, path):
    first, rest = path.split("/", 1)
    return (sky.parent / name / "data" / first / name / rest).read_bytes()


def test_a_file(service, sky):
    said = service.ask(f"/files/2026dgt@0/{IMAGE}")
    assert said.body == original(sky, "2026dgt", IMAGE)
    assert said.headers["Content-Type"] == "application/fits"
    assert said.headers["Content-Length"] == str(len(said.body))
    assert said.headers["ETag"].strip('"') == hashlib.sha256(said.body).hexdigest()
    assert "max-age=3600" in said.headers["Cache-Control"]
    same = service.ask(f"/files/2026dgt@0/{IMAGE}", headers={"If-None-Match": said.headers["ETag"]})
    assert (same.status, same.body) == (304, b"")


def test_a_part_of_a_file(service, sky):
    data = original(sky, "2026dgt", IMAGE)
    said = service.ask(f"/files/2026dgt@0/{IMAGE}", headers={"Range": "bytes=80-159"})
    assert (said.status, said.body) == (206, data[80:160])
    assert said.headers["Content-Range"] == f"bytes 80-159/{len(data)}"
    outside = service.ask(f"/files/2026dgt@0/{IMAGE}", headers={"Range": f"bytes={len(data)}-"})
    assert (outside.status, outside.headers["Content-Range"]) == (416, f"bytes */{len(data)}")


def test_head_says_the_same_without_the_bytes(service):
    whole, head = (service.ask(f"/files/2026dgt@0/{IMAGE}", method=method) for method in ("GET", "HEAD"))
    assert head.body == b""
    for name in ("Content-Type", "Content-Length", "ETag"):
        assert head.headers[name] == whole.headers[name]


def test_the_document_and_the_latest(service):
    said = service.ask("/files/2026dgt@0/2026dgt.json")
    assert said.headers["Content-Type"] == "application/json"
    assert json.loads(said.body)["metadata"]["dataset_version"] == 0
    latest = service.ask("/files/2026dgt/2026dgt.json")
    assert latest.body == said.body
    assert "max-age=60" in latest.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "2026dgt@0",
        "2026dgt@0/",
        "2026dgt@7/2026dgt.json",
        "2026dgt@999999999999999999999/2026dgt.json",
        "nobody@0/nobody.json",
        "2026dgt@0/nothing.fits",
        "2026dgt@0/cutout_cdn",
        "2026dgt@0/../../../etc/passwd",
        "2026dgt@0/%2e%2e/%2e%2e/etc/passwd",
        "2026dgt@0//etc/passwd",
        "2026dgt@0/cutout_cdn/DES/DES_z.fits.dvc",
        "2026dgt@0/.dvc/config",
        "../HEAD",
        "%2e%2e%2fHEAD@0/x",
        "main@0/blastgit.yaml",
        "2026dgt@latest/2026dgt.json",
        "2026dgt@2026-05-27/2026dgt.json",
        "2026dgt:post-host-match/2026dgt.json",
        "u/alice/2026dgt@0/2026dgt.json",
        "2026dgt@0/%00",
        "a" * 5000 + "@0/x",
    ],
)
def test_what_there_is_not(service, sky, path):
    said = service.ask(f"/files/{path}")
    assert said.status == 404
    assert said.headers["Content-Type"].startswith("text/plain")
    assert len(said.body) < 1000
    assert str(sky) not in said.text


@pytest.mark.parametrize("revision", ["nobody", "nobody@0", "2026dgt@7", "Supernova-of-the-year@1"])
def test_a_name_that_is_none_is_not_searched_for(library, monkeypatch, revision):
    def search(*_):
        raise AssertionError("a stranger's slip of the pen reads every document, or compares every name")

    monkeypatch.setattr("blastgit.api.aliases.find_alias", search)
    monkeypatch.setattr("difflib.get_close_matches", search)
    monkeypatch.setattr(History, "revisions", search)
    with pytest.raises(NotFound, match=f"there is no revision '{revision}' here"):
        DataRepo(library).tap.file(revision, "2026dgt.json")


def test_what_a_failed_stage_made(service):
    rows = service.rows("SELECT access_url FROM ivoa.ObsCore WHERE target_name = '2026bad'")
    answers = [service.ask(url) for (url,) in rows]
    assert {said.status for said in answers} == {200, 409}
    refused = next(url for (url,), said in zip(rows, answers, strict=True) if said.status == 409)
    assert "even_invalid=1" in service.ask(refused).text
    assert service.ask(f"{refused}?even_invalid=1").status == 200


def test_what_was_withdrawn_and_what_is_damaged(history, serve):
    with serve(history, "--refresh", 0) as service:
        assert service.ask(f"/files/2026dgt@0/{IMAGE}").status == 200
        victim = "cutout_cdn/DES/DES_g.fits"
        store = history / "dvc/files/md5"
        digest = hashlib.md5(service.ask(f"/files/2026dgt@0/{victim}").body).hexdigest()
        damaged = store / digest[:2] / digest[2:]
        damaged.chmod(0o644)
        damaged.write_bytes(b"x" + damaged.read_bytes()[1:])
        said = service.ask(f"/files/2026dgt@0/{victim}")
        assert said.status == 502
        assert str(history) not in said.text
        DataRepo(history).withdraw(f"2026dgt@0:{IMAGE}", reason="it shows somebody's face")
        said = service.ask(f"/files/2026dgt@0/{IMAGE}")
        assert said.status == 410
        assert "somebody's face" in said.text


def test_every_address_in_obscore_leads_to_its_file(service):
    for url, type_, size in service.rows(
        "SELECT access_url, access_format, access_estsize FROM ivoa.ObsCore WHERE target_name <> '2026bad'"
    ):
        said = service.ask(url, method="HEAD")
        assert said.status == 200
        assert said.headers["Content-Type"] == type_
        assert -(-int(said.headers["Content-Length"]) // 1000) == int(size)
        assert urllib.parse.urlparse(url).path.startswith("/files/")
