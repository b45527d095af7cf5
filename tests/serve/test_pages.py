"""Every page and its JSON twin exist, agree with each other, and have the security headers."""

import json
import re
from collections import Counter
from html import unescape
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from blastgit.serve.security import POLICY
from tests.serve.conftest import HOSTILE, ME, WITHDRAWN, opened

PAGES = ("/", "/t/2026dgt", "/t/2026dgt@0", "/t/2026dgt@1", "/t/2026bad", "/t/2026not", "/t/2026xss", "/c", "/c/nearby",
         "/c/night/one", "/release/nearby/1", "/files/2026dgt@1/", "/?q=2026&sort=-z", "/?q=150+2+90deg",
         "/?class=SN+Ia&status=complete", "/compare/2026dgt@0...2026dgt@1", "/t/2026dgt@0/provenance",
         "/t/2026dgt@0/part/host.redshift", "/t/2026dgt@0/part/sed/global", "/compare/runs", "/r/filter/DES_z",
         "/compare/runs/app:v1.12.0...app:v1.13.1", "/log", "/sql", "/status")  # fmt: skip


def twin_of(path):
    place, question, query = path.partition("?")
    place = "/index" if place == "/" else place.rstrip("/")
    return f"{place}.json{question}{query}"


def test_each_page_has_a_twin_and_keeps_to_itself(app):
    for path in PAGES:
        page, twin = app.get(path), app.get(twin_of(path))
        assert (page.status_code, twin.status_code) == (200, 200), path
        assert page.headers["Content-Security-Policy"] == POLICY
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in page.headers
        assert twin.headers["Access-Control-Allow-Origin"] == "*"
        assert isinstance(json.loads(twin.data), dict)
        assert app.get(path, headers={"If-None-Match": page.headers["ETag"]}).status_code == 304


def test_a_revision_says_what_was_recorded(app):
    data = json.loads(app.get("/t/2026dgt@0.json").data)
    assert (data["revision"], data["is_latest"], data["newer"]["revision"]) == ("2026dgt@0", False, "2026dgt@1")
    assert [each["number"] for each in data["history"]] == [1, 0]
    assert data["history"][1]["reproductions"][0]["app_version"] == "v1.13.1"
    assert {row["filter"] for row in data["photometry"]["global"]} == {"2MASS_J", "DES_g", "DES_z", "WISE_W1"}
    mass = data["inference"]["global"][0]
    assert mass["quantity"] == "log_mass"
    assert mass["p16"] < mass["p50"] < mass["p84"]
    page = unescape(app.get("/t/2026dgt@0").text)
    for words in ("Revision", "is newer", "DES_z", "log M★", "git clone", "@dataset{", data["tag"]):
        assert words in page


def test_a_name_that_is_not_the_own_one_leads_there(app):
    assert app.get("/t/2026dgt@latest").headers["Location"] == "/t/2026dgt"
    assert app.get("/t/2026dgt@2026-05-28").headers["Location"] == "/t/2026dgt@0"
    assert app.get("/t/2026dgt@2026-05-28.json").headers["Location"] == "/t/2026dgt@0.json"
    assert app.get("/?q=sn+2026DGT").headers["Location"] == "/t/2026dgt"


def test_what_failed_or_is_gone_says_so_in_words(app):
    bad = unescape(app.get("/t/2026bad").text)
    assert "Not everything of this revision is to be relied on" in bad
    assert "Global host SED inference ended with 'failed'" in bad
    gone = unescape(app.get("/t/2026dgt@1").text)
    assert "1 file was withdrawn" in gone
    assert "the survey took it back" in gone
    assert f"/image/2026dgt@1/{WITHDRAWN}" not in gone
    assert app.get(f"/image/2026dgt@1/{WITHDRAWN}.svg").status_code == 410
    assert app.get(f"/files/2026dgt@1/{WITHDRAWN}").status_code == 410
    assert "none found" in app.get("/t/2026not").text


def test_an_error_is_a_page_and_a_document(app):
    for path in ("/t/2026nil", "/t/2026dgt@7", "/t/..", "/c/nothing", "/nowhere", "/release/nearby/9", "/t/x%00y"):
        page = app.get(path)
        assert page.status_code == 404, path
        assert "<h1>Not Found</h1>" in page.text
    said = json.loads(app.get("/t/2026nil.json").data)["error"]
    assert (said["kind"], said["status"]) == ("not-found", 404)
    assert app.get("/?page=x").status_code == 400
    assert app.post("/t/2026dgt").status_code == 405


def test_a_release_is_a_landing_page(app):
    page = app.get("/release/nearby/1").text
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    described = json.loads(found[1])
    assert (described["@type"], described["version"]) == ("Dataset", "1")
    manifest = app.get("/release/nearby/1/manifest.sha256").text
    assert "2026dgt@0/cutout_cdn/DES/DES_z.fits" in manifest


def links(page):
    return {unescape(link) for link in re.findall(r'(?:href|src|action)="([^"]+)"', page)}


def shape(target):
    """Return what kind of address it is: of each kind, so many are looked at."""
    place, _, query = target.partition("?")
    kinds = re.sub(r"2026[a-z]{3}(@\d)?", "NAME", place)
    return re.sub(r"/(part|image|files)/.*", r"/\1", kinds), query.count("=")


@pytest.fixture(scope="module")
def crawled(app):
    """Follow the links of every page, some of each kind, and return what was said at each address."""
    seen, ahead, count = {}, ["/"], Counter()
    while ahead:
        path = ahead.pop(0)
        seen[path] = answer = app.get(path)
        for link in sorted(links(answer.text)) if answer.mimetype == "text/html" else ():
            parts = urlsplit(urljoin(path, link))
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            if parts.netloc or target.startswith("/tap") or link[:1] == "#" or target in seen or target in ahead:
                continue
            count[shape(target)] += 1
            if count[shape(target)] <= 4:
                ahead.append(target)
    return seen


def test_no_link_leads_nowhere_and_nothing_private_or_withdrawn_is_anywhere(app, crawled):
    seen = crawled
    assert len(seen) > 60
    for path, answer in seen.items():
        assert answer.status_code in (200, 302, 410), (path, answer.status_code)
        if answer.mimetype.startswith(("text/", "application/json", "application/atom")):
            assert "my-secret-thought" not in answer.text, path
            assert f"u/{ME}" not in unquote(answer.text), path
    for path in (f"/t/u/{ME}/2026dgt", f"/t/u%2F{ME}%2F2026dgt", f"/files/u%2F{ME}%2F2026dgt@0/x.fits",
                 f"/c/u/{ME}/mine", f"/image/u%2F{ME}%2F2026dgt@0/x.svg"):  # fmt: skip
        assert app.get(path).status_code == 404, path


def test_a_hostile_text_is_shown_as_text(app, crawled):
    for path, answer in crawled.items():
        if answer.mimetype == "text/html":
            assert "<script>alert" not in answer.text, path
            assert "<img src=x" not in answer.text, path
            assert ">49<" not in answer.text, path
            assert "\u202e" not in answer.text, path
    assert unescape(app.get("/t/2026xss").text).count(HOSTILE[:28])


def test_an_empty_data_repo_says_what_to_do(tmp_path):
    from blastgit import DataRepo

    repo = DataRepo.init(tmp_path / "new.git", simulated=True)
    repo.index.update()
    with opened(tmp_path / "new.git") as app:
        page = app.get("/").text
        assert "Nothing is recorded here yet" in page
        assert app.get("/c").status_code == 200
