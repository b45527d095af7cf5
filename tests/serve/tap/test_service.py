"""Running the service: its formats, its addresses behind a proxy, its index, its start and end."""

import csv
import json
import signal
import socket
import subprocess
import sys
import threading
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from astropy.io import votable

from blastgit.demo import small
from blastgit.errors import Busy
from blastgit.serve.tap.limits import ServiceLimits
from blastgit.serve.tap.queries import Queries, Source
from blastgit.serve.tap.workers import Workers

pytestmark = pytest.mark.slow

QUERY = (
    "SELECT transient, revision, ra_deg, redshift, is_latest, export_time FROM blastgit.transients ORDER BY transient"
)


def rows_of(body: bytes) -> list[list[object]]:
    table = votable.parse(BytesIO(body), verify="exception").get_first_table().to_table()
    return [[None if cell is None or str(cell) == "--" else str(cell) for cell in row] for row in table]


def test_every_form_holds_the_same(service):
    answers = {form: service.query(QUERY, ("RESPONSEFORMAT", form)) for form in ("votable", "votable/td")}
    binary, elements = (rows_of(said.body) for said in answers.values())
    assert binary == elements
    assert len(binary) == 4
    assert b"<BINARY2>" in answers["votable"].body
    assert b"<TABLEDATA>" in answers["votable/td"].body
    separated = service.query(QUERY, ("RESPONSEFORMAT", "text/csv"))
    names = [row[0] for row in csv.reader(StringIO(separated.text))]
    assert names == ["transient", *(row[0] for row in binary)]
    assert service.query(QUERY, ("FORMAT", "tsv")).text == separated.text.replace(",", "\t")
    said = json.loads(service.query(QUERY, ("RESPONSEFORMAT", "json"), ("MAXREC", 2)).body)
    assert [column["name"] for column in said["columns"]] == QUERY.replace(",", "").split()[1:7]
    assert (len(said["rows"]), said["overflow"]) == (2, True)


def test_no_rows_at_all(service):
    said = service.query(QUERY, ("MAXREC", 0))
    assert rows_of(said.body) == []
    assert b'value="OVERFLOW"' in said.body
    assert b'name="ra_deg"' in said.body


@pytest.mark.parametrize(
    ("form", "type_"),
    [
        ("application/x-votable+xml", "application/x-votable+xml;serialization=BINARY2"),
        ("application/x-votable+xml;serialization=TABLEDATA", "application/x-votable+xml;serialization=TABLEDATA"),
        ("text/xml", "application/x-votable+xml;serialization=TABLEDATA"),
        ("text/tab-separated-values", "text/tab-separated-values;charset=utf-8"),
    ],
)
def test_forms_by_their_type(service, form, type_):
    assert service.query(QUERY, ("RESPONSEFORMAT", form)).headers["Content-Type"] == type_


def test_a_plus_that_was_not_escaped(service):
    said = service.ask(f"/tap/sync?LANG=ADQL&QUERY={QUERY.replace(' ', '+')}&RESPONSEFORMAT=application/x-votable+xml")
    assert said.status == 200


def test_behind_a_proxy_that_says_so(service):
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "data.example.org", "X-Forwarded-Port": "443"}
    pairs = b"LANG=ADQL&QUERY=SELECT+1"
    said = service.ask("/tap/async", data=pairs, headers=forwarded)
    assert said.headers["Location"].startswith("https://data.example.org/tap/async/")
    assert "https://data.example.org/tap" in service.ask("/tap/capabilities", headers=forwarded).text


def test_behind_a_proxy_that_is_told(sky, serve):
    with serve(sky, "--url", "https://data.example.org/blast/") as service:
        assert service.tap == "https://data.example.org/blast/tap"
        service.port = _port_of(service.process.pid)
        assert service.job(QUERY)
        said = service.ask("/tap/async", ("LANG", "ADQL"))
        assert said.headers["Location"].startswith("https://data.example.org/blast/tap/async/")
        ((url,),) = service.rows("SELECT TOP 1 access_url FROM ivoa.ObsCore")
        assert url.startswith("https://data.example.org/blast/files/")


def _port_of(pid: int) -> int:
    inodes = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()}
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        parts = line.split()
        if parts[3] == "0A" and f"socket:[{parts[9]}]" in inodes:
            return int(parts[1].partition(":")[2], 16)
    raise AssertionError("it does not listen")


def test_new_revisions_are_found_while_it_runs(repo, serve, record):
    record(repo, small("2026dgt"))
    with serve(repo, "--refresh", 0) as service:
        assert service.rows("SELECT transient FROM blastgit.transients") == [["2026dgt"]]
        record(repo, small("2026abc"))
        for _ in range(200):
            if len(service.rows("SELECT transient FROM blastgit.transients")) == 2:
                return
        raise AssertionError("the new transient is not there")


def test_an_index_that_is_damaged_is_made_anew(repo, serve, record):
    record(repo, small("2026dgt"))
    with serve(repo) as service:
        index = repo / "blastgit/index.duckdb"
        good = index.read_bytes()
        index.write_bytes(good[:8192] + b"\xff" * (len(good) - 8192))
        for _ in range(200):
            said = service.query(QUERY)
            assert said.status in (200, 502)
            if said.status == 200:
                return
        raise AssertionError("it is still damaged")


def test_a_port_in_use(sky):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _run(sky, "--port", port)
    assert (done.returncode, done.stdout) == (6, "")
    assert f"port {port} of 127.0.0.1 is in use: give another with --port" in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--port", "70000"), "less than 65536"),
        (("--seconds", "0"), "positive"),
        (("--memory", "nan"), "positive"),
        (("--url", "ftp://x"), "--url takes an address"),
        (("--host", "no.such.host.invalid"), "cannot listen"),
    ],
)
def test_options_that_make_no_sense(sky, options, words):
    done = _run(sky, *options)
    assert done.returncode in (2, 6)
    assert words in done.stderr


def _run(repo, *options):
    words = [sys.executable, "-m", "blastgit", "-C", repo, "tap", "serve", *map(str, options)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def test_it_ends_while_queries_run(sky, serve):
    with serve(sky) as service:
        long = "SELECT SUM(a.flux * b.flux * c.flux * d.flux * e.flux * f.flux * g.flux) AS n FROM {}".format(
            ", ".join(f"blastgit.photometry AS {name}" for name in "abcdefg")
        )
        job = service.job(long, ("PHASE", "RUN"))
        service.ask(f"{job}?WAIT=30&PHASE=QUEUED")
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(timeout=30) == 0


def test_too_many_queries_at_once(tmp_path):
    queries = Queries(Source(tmp_path, tmp_path, lambda _: None), ServiceLimits(at_once=1, patience=0.01), Workers())
    with queries.place(), pytest.raises(Busy, match="async job"), queries.place():
        pass
    with queries.place():
        pass


def test_many_at_once(service):
    found = []
    threads = [threading.Thread(target=lambda: found.append(service.query(QUERY).status)) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(found) <= {200, 503}
    assert 200 in found
