"""Invalid and malicious requests: the answer is a message, and the service continues."""

import socket
import urllib.parse

import pytest

GOOD = "SELECT TOP 1 transient FROM blastgit.transients"
ENDLESS = "SELECT SUM(a.flux * b.flux * c.flux * d.flux * e.flux * f.flux * g.flux * h.flux) AS n FROM " + ", ".join(
    f"blastgit.photometry AS {name}" for name in "abcdefgh"
)


@pytest.fixture(autouse=True)
def _is_well(service):
    yield
    assert service.query(GOOD).status == 200


def error_of(said, status=400) -> str:
    assert said.status == status, said.text
    assert said.headers["Content-Type"].startswith("application/x-votable+xml")
    assert 'name="QUERY_STATUS" value="ERROR"' in said.text
    return said.text


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([("QUERY", GOOD)], "LANG is missing"),
        ([("LANG", "SQL"), ("QUERY", GOOD)], "LANG 'SQL' is not known"),
        ([("LANG", "ADQL-7.3"), ("QUERY", GOOD)], "is not known"),
        ([("LANG", "ADQL")], "QUERY is missing"),
        ([("LANG", "ADQL"), ("QUERY", "  ")], "QUERY is missing"),
        ([("LANG", "ADQL"), ("QUERY", GOOD), ("QUERY", "SELECT 1")], "QUERY is given 2 times"),
        ([("LANG", "ADQL"), ("QUERY", GOOD), ("RESPONSEFORMAT", "application/pdf")], "RESPONSEFORMAT"),
        ([("LANG", "ADQL"), ("QUERY", GOOD), ("MAXREC", "-1")], "MAXREC is a number of rows"),
        ([("LANG", "ADQL"), ("QUERY", GOOD), ("MAXREC", "abc")], "MAXREC is a number of rows"),
        ([("LANG", "ADQL"), ("QUERY", GOOD), ("MAXREC", "1e3")], "MAXREC is a number of rows"),
        ([("LANG", "ADQL"), ("QUERY", GOOD), ("REQUEST", "doHarm")], "REQUEST is doQuery"),
        ([("LANG", "ADQL"), ("QUERY", GOOD), ("UPLOAD", "t,http://localhost/t.xml")], "takes no tables"),
        ([("LANG", "ADQL"), ("QUERY", GOOD), ("UPLOAD", "t,param:x"), ("x", "<VOTABLE/>")], "takes no tables"),
        ([("LANG", "ADQL"), ("QUERY", "x" * 60_000)], "60,000 characters; 50,000 are allowed"),
    ],
)
def test_parameters(service, pairs, words):
    assert words in error_of(service.ask("/tap/sync", *pairs))


def test_names_are_the_same_in_upper_and_lower_case(service):
    said = service.ask("/tap/sync", ("lang", "adql-2.1"), ("Query", GOOD), ("maxRec", "5"), ("responseformat", "CSV"))
    assert said.text.startswith("transient\n")
    same = [("LANG", "ADQL"), ("LANG", "ADQL"), ("QUERY", GOOD), ("REQUEST", "doQuery"), ("VERSION", "1.1")]
    assert service.ask("/tap/sync", *same, ("WHATEVER", "x")).status == 200
    assert service.ask(f"/tap/sync?{urllib.parse.urlencode(same)}").status == 200


@pytest.mark.parametrize(
    "query",
    [
        "SELECT",
        "DROP TABLE blastgit.revisions",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "ATTACH '/tmp/x.db'",
        "SET memory_limit = '1TB'",
        "SELECT * FROM duckdb_settings()",
        "SELECT path FROM duckdb_databases",
        "SELECT file FROM pragma_database_list",
        "SELECT getenv('HOME') FROM blastgit.revisions",
        "SELECT * FROM TAP_UPLOAD.mine",
        "SELECT * FROM blastgit.nothing",
        "SELECT transient FROM blastgit.transients WHERE",
        "(" * 5000,
        "\x00\x01",
        "SELECT 'ƒ\u2028' FROM nowhere",
    ],
)
def test_queries(service, query):
    error_of(service.query(query))


def test_the_place_of_a_mistake_is_told(service):
    said = error_of(service.query("SELECT transient\nFROM blastgit.transients\nWHERE redshift >> 1"))
    assert "line 3" in said.lower()
    said = error_of(service.query("SELECT transient\nFROM blastgit.transients\nWHERE redshft > 1"))
    assert "line 3, column 7, at 'redshft'" in said


def test_an_endless_sync_query(sky, serve):
    with serve(sky, "--seconds", 1) as tight:
        assert "longer than 1 s" in error_of(tight.query(ENDLESS))
        assert tight.query(GOOD).status == 200


def test_an_endless_job(service):
    job = service.job(ENDLESS, ("EXECUTIONDURATION", 1), ("PHASE", "RUN"))
    assert service.ended(job) == "ERROR"
    assert "longer than 1 s" in service.ask(f"{job}/error").text
    assert "longer than 1 s" in service.ask(job).text
    service.ask(job, method="DELETE")


def test_memory(sky, serve):
    with serve(sky, "--memory", 0.05) as tight:
        huge = "SELECT a.flux * b.flux * c.flux * d.flux * e.flux AS x FROM {} ORDER BY x".format(
            ", ".join(f"blastgit.photometry AS {name}" for name in "abcde")
        )
        assert "memory" in error_of(tight.query(huge))
        assert tight.query(GOOD).status == 200


def refused(service, **options):
    """Return the status; the service need not wait for the end of what is too large, and cuts some clients off."""
    try:
        return service.ask("/tap/sync", **options).status
    except OSError:
        return "cut off"


def test_large_requests(service):
    assert refused(service, data=b"QUERY=" + b"x" * 2_000_000) in (413, "cut off")
    assert refused(service, headers={"X-Long": "x" * 100_000}) in (431, "cut off")
    assert service.ask("/tap/sync?" + "&".join(f"a{i}=1" for i in range(3000))).status == 400
    many = error_of(service.ask("/tap/sync", *((f"a{i}", 1) for i in range(500))))
    assert "more than 200 parameters" in many


@pytest.mark.parametrize(
    ("type_", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense"),
        ("application/x-www-form-urlencoded", b"QUERY=%ff%fe&LANG=ADQL"),
    ],
)
def test_bodies(service, type_, body):
    error_of(service.ask("/tap/sync", data=body, headers={"Content-Type": type_}))


def test_a_body_in_parts(service):
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("LANG", "ADQL"), ("QUERY", GOOD), ("RESPONSEFORMAT", "csv"))
    )
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    assert service.ask("/tap/sync", data=f"{parts}--b--\r\n".encode(), headers=kind).text.startswith("transient\n")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/tap/nothing", 404),
        ("GET", "/tap/sync/more", 404),
        ("GET", "/tap/tables/nothing", 404),
        ("DELETE", "/tap/sync", 405),
        ("PUT", "/tap/sync", 405),
        ("PATCH", "/tap/async", 405),
        ("POST", "/tap/capabilities", 405),
        ("DELETE", "/files/2026dgt@0/2026dgt.json", 405),
        ("GET", "/%ff", 404),
    ],
)
def test_addresses(service, method, path, status):
    said = service.ask(path, method=method)
    assert said.status == status
    assert "GET" in said.headers.get("Allow", "GET")


def test_a_host_that_is_none(service):
    error_of(service.ask("/tap/capabilities", headers={"Host": 'x"><script>'}))


def test_slow_clients_do_not_stop_others(service):
    idle = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(60)]
    try:
        for each in idle:
            each.sendall(b"POST /tap/sync HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nQUERY=")
        assert service.query(GOOD).status == 200
    finally:
        for each in idle:
            each.close()
