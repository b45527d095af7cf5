"""Queries: columns are described, only reading is possible, and time is limited."""

import json
import socket
import subprocess
import sys
import time

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.errors import InvalidQuery, OverLimit
from blastgit.index.open_index import Limits


@pytest.fixture
def db(library):
    with DataRepo(library).index.open() as db:
        yield db


def test_columns_are_described(db):
    result = db.query("SELECT ra_deg, flux, 1 AS one FROM transients JOIN photometry USING (transient) LIMIT 3")
    assert [(each.name, each.type, each.unit, each.ucd) for each in result.columns] == [
        ("ra_deg", "double", "deg", "pos.eq.ra;meta.main"),
        ("flux", "double", "uJy", "phot.flux.density"),
        ("one", "integer", "", ""),
    ]
    assert len(result) == 3


def test_parameters_are_values_and_not_sql(db):
    assert db.query("SELECT dataset FROM revisions WHERE transient = ?", ["x' OR '1' = '1"]).rows == []
    assert len(db.query("SELECT dataset FROM revisions WHERE transient = $name", {"name": "2026dgt"})) == 2


def test_arrow_for_many_rows(db):
    table = db.arrow("SELECT flux, filter FROM photometry WHERE aperture = ?", ["local"])
    assert table.column_names == ["flux", "filter"]
    assert table.num_rows == 8


EVIL = [
    "INSERT INTO revisions (transient) VALUES ('x')",
    "DELETE FROM revisions",
    "UPDATE revisions SET files = 0",
    "DROP TABLE revisions",
    "CREATE TABLE x (y INTEGER)",
    "CREATE TEMP TABLE x AS SELECT 1",
    "CREATE VIEW x AS SELECT 1",
    "ATTACH '{folder}/other.db'",
    "DETACH blast",
    "USE memory",
    "COPY revisions TO '{folder}/out.csv'",
    "COPY revisions FROM '{secret}'",
    "EXPORT DATABASE '{folder}/out'",
    "IMPORT DATABASE '{folder}'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET enable_external_access = true",
    "SET memory_limit = '1TB'",
    "RESET memory_limit",
    "PRAGMA enable_profiling",
    "CALL pragma_version()",
    "CHECKPOINT",
    "VACUUM",
    "BEGIN",
    "ROLLBACK",
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM read_parquet('{secret}')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM read_json('{secret}')",
    "SELECT * FROM 'http://127.0.0.1:{port}/x.csv'",
    "SELECT * FROM read_csv('http://127.0.0.1:{port}/x.csv')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM query('COPY revisions TO ''{folder}/out.csv''')",
    "SELECT getenv('HOME')",
    "SELECT * FROM secret_rows",
    "PREPARE x AS SELECT 1",
    "EXECUTE x",
    "SELECT 1; DROP TABLE revisions",
    "",
    ";",
    "SELECT",
    "no SQL at all",
    "SELECT nope",
    "SELECT * FROM nowhere",
    "SELECT 'x' + 1 FROM revisions WHERE",
    "EXPLAIN ANALYZE COPY revisions TO '{folder}/out.csv'",
    "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    "SELECT 1" + " + 1" * 60_000,
    "\x00",
    "SELECT '\ud800'",
]


@pytest.mark.parametrize("sql", EVIL, ids=lambda sql: ascii(sql)[:40])
def test_a_query_can_only_read_the_tables(db, library, tmp_path, sql, tree_of):
    folder = tmp_path / "folder"
    folder.mkdir()
    secret = folder / "secret"
    secret.write_text("a,b\n1,2\n")
    secret_rows = [1]
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        before = tree_of(library)
        port = server.getsockname()[1]
        with pytest.raises((InvalidQuery, OverLimit)) as caught:
            db.query(sql.replace("{folder}", str(folder)).replace("{secret}", str(secret)).replace("{port}", str(port)))
        assert "1,2" not in str(caught.value)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert tree_of(library) == before
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert secret_rows == [1]
    assert db.query("SELECT count(*) FROM revisions").rows == [(2,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(1000000000000) a WHERE hash(a.range) = 1",
        "WITH RECURSIVE r (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) SELECT count(*) FROM r",
        "SELECT sum(a.flux * h.flux) FROM {} a, {} b, {} c, {} d, {} e, {} f, {} g, {} h".replace("{}", "photometry"),
    ],
)
def test_an_endless_query_is_stopped(db, sql):
    start = time.monotonic()
    with pytest.raises(OverLimit, match=r"longer than 0\.3 s"):
        db.query(sql, limits=Limits(seconds=0.3))
    assert time.monotonic() - start < 30
    assert db.query("SELECT 1").rows == [(1,)]


def test_an_enormous_result_is_cut_and_memory_is_limited(library):
    with DataRepo(library).index.open(Limits(rows=10, memory=100_000_000)) as db:
        result = db.query("SELECT * FROM range(1000000000)")
        assert len(result) == 10
        assert result.is_cut
        assert not db.query("SELECT * FROM range(10)").is_cut
        with pytest.raises(OverLimit, match="memory"):
            db.query("SELECT list(range) FROM range(1000000000)")
        assert db.query("SELECT 1").rows == [(1,)]


def test_a_query_that_does_not_listen_is_ended_with_the_command(library):
    one_row = "SELECT jaro_similarity(repeat('ab', 2000000), repeat('ba', 2000000))"
    command = [sys.executable, "-m", "blastgit", "-C", library, "sql", one_row, "--seconds", "0.2", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == json.loads(done.stdout)["error"]["exit_code"] == OverLimit.exit_code
    assert "could not be stopped" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mistake_is_shown_at_its_place(db):
    with pytest.raises(InvalidQuery, match=r"(?s)nope.*LINE 1.*\^"):
        db.query("SELECT nope FROM revisions")


def test_a_mistake_is_told_without_what_does_not_help(db):
    with pytest.raises(InvalidQuery) as caught:
        db.query("SELECT dataset + 1 FROM revisions")
    assert "Candidate functions" not in str(caught.value)
    assert "LINE 1: SELECT dataset + 1" in str(caught.value)
    with pytest.raises(InvalidQuery) as caught:
        db.query("SELECT * FROM sqlite_scan('x', 'y')")
    assert "INSTALL" not in str(caught.value)


@pytest.mark.parametrize(
    "expression",
    [
        "1 / 0", "0 / 0", "-1.0 / 0", "5 % 0", "5 // 0", "mod(5, 0)", "redshift / 0", "flux / (flux - flux)",
        "sqrt(-flux)", "ln(0)", "ln(-flux)", "log(0)", "log10(-1)", "log2(0)", "log(1, 3)", "log(2, -1)",
        "acos(2)", "asin(-1.1)", "pow(-1, 0.5)", "power(-1, 0.5)", "(-1) ** 0.5", "(-1) ^ 0.5", "atanh(2)", "cot(0)",
    ],
)  # fmt: skip
def test_what_has_no_value_is_null(db, expression):
    """NaN would be above all numbers in DuckDB, so that it met `> 1`."""
    tables = "photometry JOIN transients USING (transient, revision)"
    asked = f"SELECT {expression} IS NULL, ({expression} > 1) IS NULL FROM {tables} WHERE flux > 0"
    assert set(db.query(asked).rows) == {(True, True)}


def test_what_has_a_value_is_what_it_was(db):
    numbers = (
        "sqrt(4), ln(1), log(100), log10(1000), log2(8), log(2, 8), acos(1), asin(0), pow(2, 3), 2 ** 3, 2 ^ 3, 7 % 4"
    )
    result = db.query(f"SELECT {numbers}, 1 / 4, sqrt(NULL)")
    assert result.rows == [(2, 0, 2, 3, 3, 3, 0, 0, 8, 8, 8, 3, 0.25, None)]
    assert [each.name for each in result.columns][:3] == ["sqrt(4)", "ln(1)", "log(100)"]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT redshft FROM revisions", "there is no column 'redshft'; did you mean redshift or best_redshift?"),
        ("SELECT r.redshft FROM revisions r", "'r' has no column 'redshft'; did you mean redshift?"),
        ("SELECT r.redshift FROM revisions", "there is no table 'r'; there is revisions"),
        ("SELECT * FROM revisons", "there is no table 'revisons'; did you mean revisions?"),
        ("SELECT flor(flux) FROM photometry", "there is no function 'flor'; did you mean floor?"),
        (
            "SELECT transient::int FROM revisions",
            "'2026dgt' is not a number; TRY_CAST(transient AS INTEGER) is null for it",
        ),
        ("SELECT 'x'::double", "'x' is not a number; TRY_CAST(x AS DOUBLE) is null for it"),
        ("SELECT 1 FROM revisions WHERE transient", "'2026dgt' is not a truth value"),
        ("SELECT 1 FROM revisions WHERE export_time > '2026-13-45'", "'2026-13-45' is not a time; write 2026-05-27"),
        ("SELECT 1 FROM revisions WHERE export_time > 'noon'", "'noon' is not a time; write 2026-05-27"),
        ("SELECT 9223372036854775807 + 1", "a number is too large for its type; make it a double before"),
        ("SELECT 1e300::int", "a number is too large for its type"),
        ("SELECT (SELECT flux FROM photometry)", "a subquery that is used as one value returned several rows"),
        ("SELECT 1 + 'a'::text", "nothing fits +(INTEGER, VARCHAR); cast a value"),
        ("SELECT regexp_matches('a', '(')", "a regular expression cannot be read: missing )"),
        ("SELECT 'a' LIKE 'b' ESCAPE 'cc'", "what follows ESCAPE should be one character"),
        ("SELECT factorial(-1)", "undefined; keep such values out, or write TRY(…)"),
    ],
)
def test_mistakes_are_told_in_our_words(db, sql, words):
    with pytest.raises(InvalidQuery) as caught:
        db.query(sql)
    said = str(caught.value)
    assert words in said
    assert not any(word in said for word in ("Error:", "SET ", "INT32", "Candidate", "in FROM clause", "_LITERAL"))


def test_the_verbs(library, capsys, tmp_path):
    assert main(["-C", str(library), "index", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["damaged"] == {}
    query = "SELECT dataset, files, healpix IS NULL AS nowhere FROM revisions ORDER BY 1"
    assert main(["-C", str(library), "sql", query]) == 0
    assert capsys.readouterr().out == "dataset    files  nowhere\n2026dgt@0     15  false\n2026dgt@1     15  false\n"
    assert main(["-C", str(library), "sql", query, "--format", "jsonl", "--rows", "1"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"dataset": "2026dgt@0", "files": 15, "nowhere": False}
    assert "more rows than 1" in said.err
    assert main(["-C", str(library), "sql", query, "--format", "csv", "--as-is"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "2026dgt@0,15,false"
    assert main(["-C", str(library), "sql", "DROP TABLE revisions"]) == 2
    assert main(["-C", str(library), "sql", query, "--seconds", "0"]) == 2
    capsys.readouterr()
    assert main(["-C", str(library), "index", "--tables"]) == 0
    assert "flux density" in capsys.readouterr().out
    assert main(["-C", str(library), "index", "--rebuild", "--parquet", str(tmp_path / "out")]) == 0
    assert "rebuilt: as was asked" in capsys.readouterr().out


def test_parquet_is_read_by_others(library, tmp_path):
    from io import BytesIO

    from astropy.io import votable
    from pyarrow import parquet

    index = DataRepo(library).index
    written = index.parquet(tmp_path / "out")
    assert sorted(path.stem for path in written) == sorted(index.tables)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in written)
    found = parquet.read_table(tmp_path / "out/photometry.parquet")
    assert found.num_rows == 16
    with index.open() as db:
        assert sorted(found["flux"].to_pylist()) == [
            flux for (flux,) in db.query("SELECT flux FROM photometry ORDER BY 1")
        ]
    said = votable.parse(BytesIO(found.schema.metadata[b"IVOA.VOTable-Parquet.content"])).get_first_table()
    assert {field.name: str(field.unit) for field in said.fields}["flux"] == "uJy"


def test_parquet_where_it_cannot_be_written(library, tmp_path):
    from blastgit.errors import RepoError

    (tmp_path / "file").write_text("")
    with pytest.raises(RepoError, match="cannot be written"):
        DataRepo(library).index.parquet(tmp_path / "file")
