"""Saved queries: what may be saved, by whom, and their history."""

import sys

import pytest

from blastgit import DataRepo
from blastgit.collections.change import Intent
from blastgit.demo import small
from blastgit.errors import Denied, InvalidInput, InvalidName, InvalidQuery, NotFound, UsageError
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.search.saved.text import read_query

pytest.importorskip("duckdb", reason="the extra `index` is not installed")

GOOD = """\
-- description: >
--   hosts whose photometry
--   is good
-- parameters:
--   snr: {type: double, default: 5, description: the least ratio}
--   since: {type: timestamp, default: 2026-01-01}
--   only: {type: boolean, default: true}
--   least: {type: integer}
SELECT transient, revision FROM revisions JOIN photometry USING (transient, revision)
WHERE flux > $snr * flux_error AND export_time > $since AND ($only OR files > $least);
"""


@pytest.fixture
def data(history):
    return DataRepo(history)


def test_a_query_is_saved_changed_removed_and_all_of_it_is_told(data):
    queries = data.queries
    commit = queries.add("high_snr", GOOD, "for the paper")
    query = queries["high_snr"]
    assert query.about == "hosts whose photometry is good"
    assert [each.type for each in query.parameters.values()] == ["double", "timestamp", "boolean", "integer"]
    assert list(queries) == ["high_snr"]
    assert "high_snr" in queries
    assert queries.add("high_snr", GOOD, "again") == commit
    with pytest.raises(InvalidInput, match="exists: replace it"):
        queries.add("high_snr", "SELECT 1 AS a", "anew")
    queries.add("high_snr", "SELECT 1 AS a", "anew", replace=True)
    queries.remove("high_snr", "it was silly")
    assert [each.subject for each in queries.log("high_snr")] == [
        "Remove the query high_snr: it was silly",
        "Change the query high_snr: anew",
        "Save the query high_snr: for the paper",
    ]
    assert queries.log("high_snr")[0].author == "Committer"
    with pytest.raises(NotFound):
        queries["high_snr"]
    with pytest.raises(NotFound):
        queries.remove("high_snr", "again")
    with pytest.raises(NotFound):
        queries.log("other")


def test_values_are_of_their_types(data):
    query = read_query(GOOD.encode(), "x")
    values = query.values({"least": "3", "snr": "1e3", "since": "2026-02-03T04:05:06+01:00", "only": "false"})
    assert values["least"] == 3
    assert values["snr"] == 1000.0
    assert values["since"].isoformat() == "2026-02-03T03:05:06"
    assert values["only"] is False
    with pytest.raises(UsageError, match="needs a value of least"):
        query.values({})
    for bad in ({"least": "3.5"}, {"least": True}, {"least": 2**63}, {"least": 1, "only": "maybe"},
                {"least": 1, "since": "then"}, {"least": 1, "snr": "inf"}):  # fmt: skip
        with pytest.raises(InvalidInput):
            query.values(bad)


def test_a_dry_run_writes_nothing(data, tree_of):
    before = tree_of(data.path)
    assert data.queries.add("high_snr", GOOD, Intent("why", dry_run=True)) is None
    assert tree_of(data.path) == before


BAD = [
    ("DROP TABLE revisions", "should be a SELECT"),
    ("SELECT 1; DROP TABLE revisions", "cannot be asked|one statement"),
    ("WITH a AS (SELECT 1) DELETE FROM revisions", "should be a SELECT|cannot be asked"),
    ("INSERT INTO revisions SELECT * FROM revisions", "should be a SELECT"),
    ("SELECT * FROM read_csv('/etc/passwd')", "cannot be asked"),
    ("SELECT * FROM 'http://127.0.0.1/x.csv'", "cannot be asked"),
    ("SELECT nope FROM revisions", "nope"),
    ("SELECT * FROM nowhere", "nowhere"),
    ("SELECT 1) UNION (SELECT 2", "cannot be asked"),
    ("SELECT 1 -- ", "ok"),
    ("SELECT 1; -- done", "cannot be asked"),
    ("SELECT $x", r"uses \$x"),
    ("SELECT ?", "give the parameter a name"),
    ("-- parameters: {x: {type: text}}\nSELECT 1", r"\$x does not occur in it"),
    ("", "should be a SELECT"),
    ("-- nothing", "should be a SELECT"),
    ("-- parameters: [x]\nSELECT 1", "a mapping from names"),
    ("-- parameters: {X: {type: text}}\nSELECT $X", "small letters"),
    ("-- parameters: {x: {type: colour}}\nSELECT $x", "its type is one of text"),
    ("-- parameters: {x: text}\nSELECT $x", "should be a mapping"),
    ("-- parameters: {x: {type: double, default: many}}\nSELECT $x", "x should be a number"),
    ("-- parameters: {x: {typ: double}}\nSELECT $x", "has 'typ'"),
    ("-- author: me\nSELECT 1", "has 'author'"),
    ("-- description: [\nSELECT 1", "YAML"),
    ("-- description: &a [*a]\nSELECT 1", "alias|text"),
    ("-- description: !!python/object/apply:os.system [id]\nSELECT 1", "YAML"),
    ("SELECT '" + "x" * 100_000 + "'", "more than the 100,000 allowed"),
    ("SELECT " + "(" * 3000 + "1" + ")" * 3000, "cannot be asked"),
    ("SELECT '\x00'", "null characters"),
]


@pytest.mark.parametrize(("text", "said"), BAD, ids=lambda value: ascii(value)[:40])
def test_what_is_no_query(data, text, said):
    if said == "ok":
        assert data.queries.add("fine", text, "why")
        return
    with pytest.raises((InvalidQuery, InvalidInput), match=said):
        data.queries.add("wrong", text, "why")
    assert list(data.queries) == []


def test_nothing_is_worked_out_to_check_it(data):
    assert data.queries.add(
        "huge", "SELECT repeat('x', 4000000000) AS a, count(*) AS n FROM range(1000000000000)", "why"
    )


def test_where_duckdb_is_not_installed_only_the_beginning_is_seen(data, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    assert data.queries.add("fine", "SELECT nope", "why")
    with pytest.raises(InvalidQuery, match="should be a SELECT"):
        data.queries.add("wrong", "DROP TABLE revisions", "why")


@pytest.mark.parametrize("name", ["", "A", "1a", "a-b", "../a", "a/b", "a.sql", "a" * 65, "ä"])
def test_what_no_query_may_be_called(data, name):
    with pytest.raises(InvalidName):
        data.queries.add(name, "SELECT 1", "why")
    with pytest.raises(NotFound):
        data.queries[name]


def test_a_query_is_not_called_like_a_transient(data, record):
    record(data.path, small("ab"))
    with pytest.raises(InvalidInput, match="ab is a transient"):
        data.queries.add("ab", "SELECT 1 AS a", "why")


def test_a_query_that_takes_too_long_to_plan_is_refused(data, monkeypatch):
    monkeypatch.setattr("blastgit.search.saved.check._SECONDS", 0.05)
    with pytest.raises(InvalidQuery, match=r"takes longer than 0\.05 s before"):
        data.queries.add("slow", "SELECT 1 AS one LIMIT length(repeat('x', 300_000_000))", "to try")


def test_a_name_may_be_that_of_a_transient_and_of_a_query(data, record, tmp_path):
    data.queries.add("ab", "SELECT 1 AS a", "why")
    record(data.path, small("ab"))
    assert data.get("ab", tmp_path / "got").revision == "ab@0"
    assert data.query("ab").rows == [(1,)]


def test_only_curators_save_queries(data, monkeypatch):
    settings = "format: 1\nkind: simulated\npolicy:\n  roles:\n    admin: [boss]\n    curator: [carla]\n"
    monkeypatch.setenv("GL_USER", "boss")
    edit = BranchEdit({"blastgit.yaml": settings.encode()}, "Settings")
    commit_to_branch(data.session.repository, "main", lambda _: edit)
    monkeypatch.setenv("GL_USER", "walter")
    with pytest.raises(Denied, match="curator"):
        DataRepo(data.path).queries.add("fine", "SELECT 1", "why")
    monkeypatch.setenv("GL_USER", "carla")
    assert DataRepo(data.path).queries.add("fine", "SELECT 1", "why")


def test_a_reason_is_a_line(data):
    for reason in ("", "  ", "a\nb"):
        with pytest.raises(InvalidInput, match="one line"):
            data.queries.add("fine", "SELECT 1", reason)
