"""The service as astronomers use it, through pyvo."""

import gc
import hashlib
import json
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
import requests
from astropy.io import fits
from astropy.table import Table

pyvo = pytest.importorskip("pyvo", reason="pyvo is not installed")

# pyvo drops answers that it half read
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]
PAGE = Path(__file__).resolve().parents[3] / "docs/tap.md"
CONE = """SELECT transient, DISTANCE(POINT('ICRS', ra_deg, dec_deg), POINT('ICRS', {0}, {1})) AS away
FROM blastgit.transients
WHERE 1 = CONTAINS(POINT('ICRS', ra_deg, dec_deg), CIRCLE('ICRS', {0}, {1}, {2}))"""


@pytest.fixture
def session():
    with requests.Session() as session:
        yield session
    gc.collect()  # while the mark above holds


@pytest.fixture
def tap(service, session):
    return pyvo.dal.TAPService(service.tap, session=session)


def test_sync(tap):
    found = tap.search("SELECT TOP 3 transient, flux, is_latest FROM blastgit.photometry WHERE aperture = 'global'")
    assert found.query_status == "OK"
    assert len(found) == 3
    table = found.to_table()
    assert str(table["flux"].unit) == "uJy"
    assert table["flux"].dtype == float
    assert found.getdesc("flux").ucd == "phot.flux.density"
    assert set(table["is_latest"]) == {True}


def test_async(tap, session):
    job = tap.submit_job("SELECT path, bytes FROM blastgit.files")
    assert job.phase == "PENDING"
    job.run()
    job.wait()
    found = job.fetch_result()
    assert len(found) == len(tap.search("SELECT path FROM blastgit.files"))
    assert job.result_uri.startswith(tap.baseurl)
    url = job.url
    job.delete()
    assert session.get(url).status_code == 404


def test_async_of_a_query_that_makes_no_sense(tap):
    job = tap.submit_job("SELECT nope FROM blastgit.files")
    job.run()
    job.wait()
    assert job.phase == "ERROR"
    with pytest.raises(pyvo.dal.DALQueryError, match="nope"):
        job.raise_if_error()
    job.delete()


def test_a_cone(tap):
    (ra, dec), *others = [
        (row["ra_deg"], row["dec_deg"]) for row in tap.search("SELECT ra_deg, dec_deg FROM blastgit.transients")
    ]
    found = tap.search(CONE.format(ra, dec, 1 / 3600))
    assert len(found) >= 1
    assert max(found["away"]) < 1 / 3600
    assert len(tap.search(CONE.format(ra, dec, 180))) == 1 + len(others)
    assert len(tap.search(CONE.format((ra + 180) % 360, -dec, 1 / 3600))) == 0


def test_an_image_by_obscore_is_the_one_that_was_recorded(tap, sky, session):
    query = "SELECT * FROM ivoa.ObsCore WHERE target_name = '2026dgt' AND dataproduct_type = 'image'"
    found = tap.search(query)
    assert len(found) > 0
    recorded = json.loads((sky.parent / "2026dgt/export.json").read_text())["transient"]["fields"]
    for row in found:
        path = row["access_url"].partition("@0/")[2]
        original = sky.parent / "2026dgt/data" / path.replace("cutout_cdn/", "cutout_cdn/2026dgt/")
        data = session.get(row["access_url"]).content
        assert hashlib.sha256(data).digest() == hashlib.sha256(original.read_bytes()).digest()
        with fits.open(BytesIO(data)) as images:
            assert images[0].header["SIMPLE"]
        assert row["access_format"] == "application/fits"
        assert row["access_estsize"] == -(-len(data) // 1000)
        assert 0 < row["em_min"] < row["em_max"] < 1e-4
        assert (row["s_ra"], row["s_dec"]) == (recorded["ra_deg"], recorded["dec_deg"])
    assert len({row["obs_publisher_did"] for row in found}) == len(found)


def test_uploads_are_refused(tap):
    table = {"mine": Table({"ra": [1.0]})}
    for ask in (tap.search, tap.run_async):
        with pytest.raises(pyvo.dal.DALQueryError, match="takes no tables"):
            ask("SELECT * FROM TAP_UPLOAD.mine", uploads=table)
    assert tap.upload_methods == []


def test_the_most_rows(tap):
    found = tap.search("SELECT path FROM blastgit.files", maxrec=2)
    assert (len(found), found.query_status) == (2, "OVERFLOW")
    (count,) = tap.search("SELECT COUNT(*) AS n FROM blastgit.files")["n"]
    found = tap.search("SELECT path FROM blastgit.files", maxrec=int(count))
    assert (len(found), found.query_status) == (count, "OK")


def test_what_the_service_says_of_itself(tap):
    assert (tap.maxrec, tap.hardlimit) == (20_000, 2_000_000)
    names = set(tap.tables.keys())
    assert {"blastgit.transients", "ivoa.ObsCore", "tap_schema.columns"} <= names
    described = {column.name: column for column in tap.tables["blastgit.hosts"].columns}
    assert described["redshift"].ucd == "src.redshift"
    assert described["ra_deg"].unit == "deg"
    for example in tap.examples:
        assert tap.search(example["QUERY"]).query_status == "OK"


def test_tap_schema_is_what_the_tables_say(tap):
    listed = {
        (row["table_name"], row["column_name"].strip('"'), row["unit"], row["ucd"])
        for row in tap.search("SELECT table_name, column_name, unit, ucd FROM TAP_SCHEMA.columns", maxrec=10_000)
    }
    said = {
        (table.name, column.name.strip('"'), column.unit or "", column.ucd or "")
        for table in tap.tables.values()
        for column in table.columns
    }
    assert listed == said
    keys = "SELECT key_id, from_table, from_column FROM TAP_SCHEMA.keys NATURAL JOIN TAP_SCHEMA.key_columns"
    assert {"transient", "revision"} <= {row["from_column"] for row in tap.search(keys)}


def test_the_examples_of_the_page_run(service):
    text = PAGE.read_text("utf-8").replace("http://127.0.0.1:8080/tap", service.tap)
    code = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(code) == 1
    done = subprocess.run([sys.executable, "-c", code[0]], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "2026dgt" in done.stdout
    assert f"{service.base}/files/2026dgt@0/cutout_cdn/DES/DES_z.fits" in done.stdout
