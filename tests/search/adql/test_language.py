"""ADQL without geometry: the result of each query, and the messages for mistakes."""

import json
import time
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.errors import InvalidQuery
from blastgit.safe_yaml import load_yaml
from blastgit.search.adql import translate


@pytest.fixture
def db(library):
    with DataRepo(library).index.open() as db:
        yield db


QUERIES = Path(__file__).with_name("queries.yaml")
SAME = [(each["adql"], each["sql"]) for each in load_yaml(QUERIES.read_bytes(), str(QUERIES))]


@pytest.mark.parametrize(("adql", "sql"), SAME)
def test_a_query_returns_what_it_should(db, adql, sql):
    mine, theirs = db.adql(adql).rows, db.query(sql).rows
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert [float(x) if isinstance(x, int | float) or hasattr(x, "as_tuple") else x for x in one] == [
            pytest.approx(float(x)) if isinstance(x, int | float) or hasattr(x, "as_tuple") else x for x in other
        ]


def test_rand_is_a_number_from_0_to_1(db):
    assert all(0 <= value <= 1 for value in db.adql("SELECT RAND(), RAND(3) FROM transients").rows[0])


def test_other_schemas_pass():
    beside = ["tap_schema.tables", "ivoa.ObsCore"]
    assert '"TAP_SCHEMA"."tables"' in translate("SELECT table_name FROM TAP_SCHEMA.tables", beside)
    assert '"ivoa"."ObsCore"' in translate("SELECT TOP 5 obs_id FROM ivoa.ObsCore", beside)


MISTAKES = [
    ("SELECT a b c FROM t", "line 1, column 12, at 'c'"),
    ("SELECT a\nFROM t\nWHERE", "line 3, column 1, at 'WHERE'"),
    ("SELECT a FROM t WHERE (a = 1", "line 1, column 28, at '1'"),
    ("SELECT a\n  FROM t WHERE a = 'x", 'line 2, column 20, at "\'x"'),
    ('SELECT "a FROM t', "line 1, column 8"),
    ("SELECT FOO(1) FROM t", "line 1, column 8, at 'FOO': there is no such function in ADQL"),
    ("SELECT 1,\n  ABS(1, 2) FROM t", "line 2, column 3, at 'ABS': ABS takes 1 values, not 2"),
    ("SELECT POINT(1, 2) FROM t", "line 1, column 8, at 'POINT': a geometry is not a value"),
    ("SELECT a FROM t WHERE CONTAINS(POINT(400, 0), CIRCLE(1, 2, 3)) = 1", "from 0 to 360 degrees, not 400"),
    ("SELECT a FROM t WHERE CONTAINS(POINT(ra, dec), CIRCLE(1, 91, 3)) = 1", "at 'CIRCLE': a declination"),
    ("SELECT a FROM t WHERE CONTAINS(POINT(ra, dec), CIRCLE(1, 2, -3)) = 1", "0 to 180 degrees, not -3"),
    ("SELECT a FROM t WHERE CONTAINS(POINT(ra, dec), CIRCLE(1, 2)) = 1", "the numbers of a CIRCLE"),
    ("SELECT a FROM t WHERE CONTAINS(POINT('GALACTIC', ra, dec), CIRCLE(1, 2, 3)) = 1", "positions are in ICRS here"),
    ("SELECT a FROM t WHERE CONTAINS(s_region, CIRCLE(1, 2, 3)) = 1", "at 's_region': here a geometry is asked for"),
    ("SELECT a FROM t WHERE CONTAINS(POINT(1, 2), BOX(ra, dec, 1, 1)) = 1", "POLYGON or BOX are numbers"),
    ("SELECT a FROM t WHERE CONTAINS(BOX(1, 2, 1, 1), POLYGON(1, 2, 3, 4, 5, 5)) = 1", "CONTAINS asks whether"),
    ("SELECT a FROM t WHERE CONTAINS(POINT(1, 2), POLYGON(0, 0, 120, 0, 240, 0)) = 1", "at 'POLYGON': the polygon"),
    ("SELECT a FROM t WHERE CONTAINS(POINT(1, 2), POLYGON(0, 0, 1, 1, 2)) = 1", "the numbers of a POLYGON"),
    ("SELECT a FROM t WHERE CONTAINS(POINT(1, 2), REGION('nonsense')) = 1", "'nonsense' is not a region"),
    ("SELECT DISTANCE(1, 2, 3) FROM t", "DISTANCE takes two points, or four numbers"),
    ("SELECT a FROM t LIMIT 3", "at 'LIMIT': ADQL has no LIMIT"),
    ("SELECT TOP -1 a FROM t", "line 1, column 12"),
    ("SELECT TOP x a FROM t", "line 1, column 12"),
    ("SELECT TOP 1.5 a FROM t", "TOP and OFFSET take a whole number"),
    ("SELECT a, 0x1F FROM t", "line 1, column 11, at '0': 0x1F is not a number"),
    ("SELECT a FROM t WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(1e999.0, 5, 1))", "1e999.0 is not a number"),
    ("SELECT 1e FROM t", "line 1, column 8, at '1e': 1e is not a number"),
    ("SELECT IN_UNIT(ra_deg, 'Jy') FROM transients", "deg cannot be turned into 'Jy'"),
    ("SELECT CAST(a AS JSON) FROM t", "there is no CAST to JSON"),
    ("SELECT a FROM t WHERE a = ?", "ADQL has no such thing"),
    ("SELECT a.b.c.d FROM t", "SCHEMA.TABLE.COLUMN"),
    ("", "empty"),
    ("  -- nothing", "empty"),
    ("\0", "Unicode"),
    ("SELECT '\ud800'", "Unicode"),
]


@pytest.mark.parametrize(("text", "words"), MISTAKES)
def test_a_mistake_is_told_with_its_place(text, words):
    with pytest.raises(InvalidQuery) as caught:
        translate(text)
    assert words in str(caught.value)


UNREACHABLE = [
    "duckdb_databases",
    "pragma_database_list",
    "sqlite_master",
    "information_schema.tables",
    "system.main.duckdb_databases",
    "blastgit.duckdb_databases",
    "main.transients",
    "ivoa.ObsCore",
    "(SELECT 1 AS x UNION SELECT database_oid FROM duckdb_databases) AS y",
    "(WITH duckdb_databases AS (SELECT 1 AS x) SELECT x FROM duckdb_databases) AS y, duckdb_databases",
    "transients WHERE revision IN (SELECT database_oid FROM duckdb_databases)",
]


@pytest.mark.parametrize("source", UNREACHABLE)
def test_only_the_tables_of_the_index_are_read(source):
    with pytest.raises(InvalidQuery, match=r"line 1, column .*there is no table"):
        translate(f"SELECT * FROM {source}")


def test_a_query_that_is_named_sees_only_those_before_it():
    with pytest.raises(InvalidQuery, match="line 1, column 64, at 'b': there is no table 'b'"):
        translate(
            "WITH a AS (SELECT 1 AS x FROM transients), c AS (SELECT x FROM b), b AS (SELECT 1 AS x) SELECT * FROM c"
        )
    with pytest.raises(InvalidQuery, match="there is no table 'duckdb_databases'"):
        translate("WITH duckdb_databases AS (SELECT * FROM duckdb_databases) SELECT * FROM duckdb_databases")


def test_queries_that_are_named_can_be_asked(db):
    text = """WITH a AS (SELECT transient FROM transients), b AS (SELECT transient FROM a JOIN A AS o USING (transient))
        SELECT COUNT(*) FROM b WHERE transient IN (WITH a AS (SELECT transient FROM b) SELECT transient FROM A)"""
    assert db.adql(text).rows[0][0] == len(db.adql("SELECT transient FROM blastgit.Transients").rows) > 0


OF_DUCKDB = [
    ("SELECT transient\nFROM transients\nWHERE redshft > 1", "line 3, column 7, at 'redshft': .*did you mean redshift"),
    ("SELECT redshift, t.redshft FROM transients AS t", "line 1, column 20, at 'redshft'"),
    ("SELECT x.redshift FROM transients AS t", "line 1, column 8, at 'x'"),
    ("SELECT t.ra_deg, ra_deg FROM transients AS t, hosts AS h", "line 1, column 18, at 'ra_deg'"),
    ("SELECT transient, COUNT(*) FROM photometry", "line 1, column 8, at 'transient'"),
    ("SELECT DISTANCE(ra_deg, dec, 1, 2) FROM transients", "line 1, column 25, at 'dec'"),
    ("SELECT CIRCEL(1, 2, 3) FROM transients", "line 1, column 8, at 'CIRCEL'"),
    ("SELECT transient FROM transient", "line 1, column 23, at 'transient': .*did you mean transients"),
]


@pytest.mark.parametrize(("text", "words"), OF_DUCKDB)
def test_a_mistake_that_duckdb_finds_is_told_with_its_place_in_the_adql(db, text, words):
    with pytest.raises(InvalidQuery, match=words) as caught:
        db.adql(text)
    assert "LINE" not in str(caught.value)


REFUSED = [
    "DROP TABLE revisions",
    "DELETE FROM revisions",
    "INSERT INTO revisions SELECT * FROM revisions",
    "UPDATE t SET a = 1",
    "CREATE TABLE x AS SELECT 1",
    "ATTACH 'x'",
    "COPY t TO 'x'",
    "PRAGMA x",
    "SET memory_limit = '1TB'",
    "CALL x()",
    "EXPLAIN SELECT 1",
    "VALUES (1)",
    "FROM t",
    "SELECT a FROM t; DROP TABLE t",
    "SELECT a INTO x FROM t",
    "WITH x AS (DELETE FROM t) SELECT 1",
    "SELECT a FROM t FOR UPDATE",
    "WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM blastgit.read_text('x')",
    "SELECT getenv('HOME') FROM t",
    "SELECT * FROM range(1000000000000)",
    "SELECT \"read_text\"('x')",
    "SELECT unnest(a) FROM t",
    "SELECT [1, 2] FROM t",
    "SELECT SUM(a) OVER () FROM t",
    "SELECT a FROM t QUALIFY 1 = 1",
    "SELECT a FROM t TABLESAMPLE 3",
    "SELECT * EXCLUDE (a) FROM t",
    "SELECT a FROM t GROUP BY ALL",
    "SELECT {'a': 1} FROM t",
    "SELECT a -> a FROM t",
    "SELECT * FROM (PIVOT t ON a USING SUM(b))",
    "SELECT CURRENT_USER FROM t",
    "SELECT x'00' FROM t",
]


@pytest.mark.parametrize("text", REFUSED)
def test_only_plain_queries_are_let_through(text):
    with pytest.raises(InvalidQuery):
        translate(text)


DEEP = [
    f"SELECT {'(' * 1000}1{')' * 1000} FROM t",
    f"SELECT * FROM {'(SELECT * FROM ' * 1000}t{')' * 1000}",
    f"SELECT {'ABS(' * 1000}1{')' * 1000} FROM t",
    f"SELECT a FROM t WHERE {'NOT ' * 5000}a = 1",
    f"SELECT {'CASE WHEN 1 = 1 THEN ' * 1000}1{' END' * 1000} FROM t",
    f"SELECT {'- ' * 5000}1 FROM t",
    f"SELECT a FROM t WHERE a IN ({'SELECT a FROM t WHERE a IN (' * 500}1{')' * 501}",
    "(" * 50_000,
    "SELECT " + "a." * 5000 + "a",
    "SELECT " + "DISTANCE(" * 12 + "1,2,3,ra" + ",2,3,4)" * 12 + " FROM t",
    "x" * 1_000_000,
]


@pytest.mark.parametrize("text", DEEP, ids=range(len(DEEP)))
def test_what_is_deep_or_large_gets_a_sentence(text):
    started = time.perf_counter()
    with pytest.raises(InvalidQuery):
        translate(text)
    assert time.perf_counter() - started < 20


WIDE = [
    f"SELECT {'1 + ' * 5000}1 FROM transients",
    f"SELECT transient FROM transients WHERE {' OR '.join(['revision = 1'] * 3000)}",
    f"SELECT 1 AS a FROM transients {'UNION SELECT 1 FROM transients ' * 500}",
    f"SELECT {', '.join(['transient'] * 2000)} FROM transients",
    f"SELECT transient FROM transients WHERE revision IN ({', '.join(map(str, range(5000)))})",
]


@pytest.mark.parametrize("text", WIDE, ids=range(len(WIDE)))
def test_what_is_wide_is_answered_or_refused(db, text):
    try:
        db.adql(text)
    except InvalidQuery as error:
        assert str(error)  # noqa: PT017 (either is right)


def test_the_verb_takes_adql(library, capsys):
    query = (
        "SELECT TOP 1 dataset FROM blastgit.revisions"
        " WHERE 0 = CONTAINS(POINT(ra_deg, dec_deg), CIRCLE(0, 90, 1)) ORDER BY dataset"
    )
    assert main(["-C", str(library), "sql", "--adql", query, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"dataset": "2026dgt@0"}]
    assert main(["-C", str(library), "sql", "--adql", "SELECT TOP FROM x"]) == 2
    assert "line 1, column" in capsys.readouterr().err
