"""Provenance, runs, hosts, queries, status, feeds: what each shows, and to whom."""

import json
import shutil
import xml.etree.ElementTree as ET
from html import unescape
from urllib.parse import quote

import pytest

from blastgit import DataRepo
from blastgit.demo import small
from tests.serve.conftest import HOSTILE, ME, opened

ATOM = "{http://www.w3.org/2005/Atom}"


def data(app, path):
    answer = app.get(path)
    assert answer.status_code == 200, (path, answer.text[:300])
    return json.loads(answer.data)


def test_provenance_goes_back_and_forth(app):
    whole = data(app, "/t/2026dgt@0/provenance.json")
    kinds = {thing["kind"] for thing in whole["things"]}
    assert {"remote image", "file", "aperture", "photometry", "SED result"} <= kinds
    image = data(app, "/t/2026dgt@0/provenance.json?of=cutout_cdn/DES/DES_z.fits")
    assert "photometry/2026dgt_DES_z_global/DES_z" in image["made_of_it"]
    page = app.get("/t/2026dgt@0/provenance?of=sed/global").text
    assert "What was made of it" in page
    assert "<svg" in page
    assert app.get("/t/2026dgt@0/provenance?of=nothing").status_code == 404
    assert app.get("/t/2026dgt/provenance").headers["Location"] == "/t/2026dgt@1/provenance"


def test_runs_compared(app):
    found = data(app, "/compare/runs/app:v1.12.0...app:v1.13.1.json?type=photometry")
    assert found["both"] >= 1
    chosen = found["chosen"]
    assert chosen["changed"] >= 1
    assert [row["transient"] for row in found["points"]] == ["2026dgt"]
    pair = found["revisions"]["2026dgt"]
    page = unescape(app.get("/compare/runs/app:v1.12.0...app:v1.13.1?type=photometry").text)
    assert pair[0] == pair[1] or f"/compare/2026dgt@{pair[0]}...2026dgt@{pair[1]}" in page
    assert app.get("/compare/runs?old=app:v1.12.0&new=app:v1.13.1").headers["Location"].startswith("/compare/runs/app:")
    assert app.get("/compare/runs/nil...app:v1.13.1").status_code == 404
    assert app.get("/compare/runs/app:v1.12.0...app:v1.13.1?type=nil").status_code == 400


def test_a_host_and_a_filter_say_who_uses_them(app):
    host = data(app, "/t/2026dgt.json")["host"]["name"]
    assert [each["transient"] for each in data(app, f"/host/{quote(host)}.json")["transients"]] == ["2026dgt"]
    assert data(app, f"/host/{quote(HOSTILE)}.json")["count"] == 1
    assert {each["transient"] for each in data(app, "/r/filter/DES_z.json")["transients"]} >= {"2026dgt", "2026bad"}
    for path in ("/host/nobody", "/r/filter/nil", "/r/nil/nil"):
        assert app.get(path).status_code == 404


def test_a_reference_has_a_history(shared_references, tmp_path):
    repo = DataRepo.init(tmp_path / "own.git", simulated=True)
    (tmp_path / "in").mkdir()
    repo.record("2026dgt", *small("2026dgt").write(tmp_path / "in"))
    repo.references.record("r/filter/DES_z", changed={"pixel_size_arcsec": 0.27})
    repo.index.update()
    with opened(tmp_path / "own.git") as client:
        found = data(client, "/r/filter/DES_z.json")
        assert [each["revision"] for each in found["revisions"]] == [1, 0]
        assert found["facts"]["pixel_size_arcsec"] == 0.27
        assert [each["transient"] for each in found["transients"]] == ["2026dgt"]
        assert "pixel_size_arcsec" in client.get("/r/filter/DES_z").text
        key = data(client, "/t/2026dgt.json")["host"]["name"]
        by_key = data(client, f"/host/{quote(data(client, f'/host/{quote(key)}.json')['facts']['host_key'])}.json")
        assert by_key["count"] == 1


def test_queries_see_what_strangers_may(app):
    query = quote("SELECT transient FROM blastgit.transients ORDER BY transient")
    assert data(app, f"/sql.json?query={query}")["answer"]["rows"][0] == ["2026bad"]
    for text in ("SELECT comment FROM annotations", "SELECT comment, subject FROM blastgit.annotations",
                 "SELECT subject FROM blastgit.flags", "SELECT dataset FROM blastgit.members"):  # fmt: skip
        answer = app.get(f"/sql?query={quote(text)}").text
        assert "my-secret-thought" not in answer
        assert f"u/{ME}" not in answer
    wrong = app.get(f"/sql?query={quote('DROP TABLE blastgit.transients')}")
    assert (wrong.status_code, 'role="alert"' in wrong.text) == (200, True)
    assert app.get(f"/sql.json?query={quote('SELEKT')}").status_code == 400


def test_a_saved_query_is_a_page_with_a_form(app):
    found = data(app, "/sql/nearby.json")
    assert {row[0] for row in found["answer"]["rows"]} == {"2026dgt", "2026bad", "2026xss"}
    assert data(app, "/sql/nearby.json?most=0")["answer"]["rows"] == []
    page = unescape(app.get("/sql/nearby").text)
    assert "the greatest redshift" in page
    assert 'role="alert"' in app.get("/sql/nearby?most=x").text
    assert app.get("/sql/nil").status_code == 404


def test_the_status_says_when_all_was_verified_last(shelf, tmp_path):
    shutil.copytree(shelf, tmp_path / "own.git", symlinks=True)
    with opened(tmp_path / "own.git") as app:
        assert data(app, "/status.json")["verified"] == {"last": None, "interrupted": None}
        assert "verified <b>never</b>" in app.get("/status").text
        DataRepo(tmp_path / "own.git").verify("2026dgt", fast=True)
        assert data(app, "/status.json")["verified"]["last"] is None
        DataRepo(tmp_path / "own.git").verify(fast=True)
        last = data(app, "/status.json")["verified"]["last"]
        assert (last["sound"], last["problems"], last["contents"]) == (True, 0, 0)
        assert last["skipped"] > 0
        assert "contents not read" in app.get("/status").text
        assert "blastgit_verified_problems 0" in app.get("/metrics").text
        (tmp_path / "own.git/blastgit/verified.json").write_text("{")
        assert data(app, "/status.json")["verified"]["last"] is None


def test_status_health_and_figures(app):
    found = data(app, "/status.json")
    assert found["counts"]["transients"] == 4
    assert [each["stage"] for each in found["failed"]] == ["Global host SED inference"]
    assert app.get("/healthz").text == "ok\n"
    lines = dict(line.rsplit(" ", 1) for line in app.get("/metrics").text.splitlines() if not line.startswith("#"))
    assert float(lines["blastgit_transients"]) == 4
    assert float(lines['blastgit_requests_total{page="status-status",status="200"}']) >= 1


@pytest.mark.parametrize("which", ["", "?transient=2026dgt", "?collection=nearby", "?q=dgt", "?transient=u/x/2026dgt"])
def test_feeds(app, which):
    answer = app.get(f"/feed{which}")
    assert answer.mimetype == "application/atom+xml"
    feed = ET.fromstring(answer.data)
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")]
    assert len(titles) == {"": 5, "?transient=2026dgt": 2, "?collection=nearby": 3, "?q=dgt": 2}.get(which, 0)
    assert app.get(f"/feed{which}", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_a_new_revision_is_there_with_the_next_update(shelf, tmp_path):

    from blastgit.demo import small
    from tests.serve.conftest import opened

    shutil.copytree(shelf, tmp_path / "own.git", symlinks=True)
    repo = DataRepo(tmp_path / "own.git")
    with opened(tmp_path / "own.git") as app:
        assert app.get("/t/2026new").status_code == 404
        export, files = small("2026new").write(tmp_path / "new")
        repo.record("2026new", export, files)
        assert app.get("/t/2026new").status_code == 200  # of a transient: from git, at once
        repo.index.update()
        assert "2026new" in app.get("/").text
        assert "2026new@0" in app.get("/feed").text
