"""`blastgit query`."""

import json

import pytest

from blastgit import DataRepo
from blastgit.repository.edit import BranchEdit, commit_to_branch

pytestmark = pytest.mark.slow

pytest.importorskip("duckdb", reason="the extra `index` is not installed")

GOOD = """\
-- description: hosts whose photometry is good
-- parameters:
--   snr: {type: double, default: 5}
--   since: {type: timestamp, default: 2026-01-01}
SELECT transient, revision FROM revisions JOIN photometry USING (transient, revision)
WHERE flux > $snr * flux_error AND export_time > $since;
"""


def test_on_the_command_line(history, process, tmp_path):
    (tmp_path / "q.sql").write_text(GOOD)
    base = ("-C", history, "query")
    assert "changed" in process(*base, "add", "high_snr", tmp_path / "q.sql", "-m", "why").out
    assert process(*base, "add", "two", "-", "-m", "why", stdin=b"-- Two\nSELECT 2 AS two").code == 0
    assert process(*base, "list").out.splitlines()[1].split() == ["two", "Two"]
    assert [each["name"] for each in json.loads(process(*base, "list", "--json").out)] == ["high_snr", "two"]
    assert process(*base, "show", "high_snr").out == GOOD
    shown = json.loads(process(*base, "show", "high_snr", "--json").out)
    assert shown["parameters"][1] == {
        "name": "since", "type": "timestamp", "default": "2026-01-01T00:00:00", "description": "",
    }  # fmt: skip
    assert "Save the query two: why" in process(*base, "log", "two").out
    assert process(*base, "remove", "two", "-m", "enough", "--json").code == 0
    assert process(*base, "show", "two").code == 5
    assert process(*base, "add", "bad", "-", "-m", "why", stdin=b"DROP TABLE x").code == 2
    assert process(*base, "add", "bad", tmp_path / "none.sql", "-m", "why").code == 4


def test_one_that_came_past_the_hook_does_not_hide_the_others(history, process):
    files = {"queries/bad.sql": b"-- author: me\nSELECT 1\n", "queries/good.sql": b"SELECT 1 AS one\n"}
    commit_to_branch(DataRepo(history).session.repository, "main", lambda _: BranchEdit(files, "By hand"))
    done = process("-C", history, "query", "list")
    assert (done.code, done.out.split()) == (4, ["good"])
    assert "bad has 'author'" in done.err
    assert process("-C", history, "find", "--query", "good", "--format", "csv").out == "one\n1\n"
