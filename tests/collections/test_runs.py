"""Runs: their names are checked at the start, and they contain the revisions that they reproduce."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.demo import Sample, refit, reprocess, small
from blastgit.errors import Denied, InvalidInput, InvalidName, NotFound
from blastgit.plumbing.process import run_git

LATER = {"app_version": "v1.14.0", "export_time": "2026-08-01T00:00:00+00:00", "seed": 3}


@pytest.fixture
def second_pass(stocked, record):
    """A run of a new version that finds 2026dgt@1 and 2026abc@0 again, and gives 2026xyz another fit."""
    run = "reprocessed/v2"
    record(stocked, reprocess(refit(small("2026dgt"), seed=1), **LATER), run=run)
    record(stocked, reprocess(small("2026abc"), **LATER), run=run)
    record(stocked, reprocess(refit(small("2026xyz"), seed=5), **LATER), run=run)
    return run


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ("2026-05 night 3", "not a name of a collection"),
        ("", "not a name of a collection"),
        ("../main", "not a name of a collection"),
        ("a/b/c/d", "not a name for a collection here"),
        ("runs/a", "not a name for a collection here"),
        ("defaults", "should be CHAINED and not RUN"),
        ("runs/nearby/v1/DM-7", "should be CHAINED and not RUN"),
        ("calib/DM-2", "should be CALIBRATION and not RUN"),
    ],
)
def test_a_name_that_the_table_does_not_have_is_refused(stocked, tmp_path, record, run, why):
    before = run_git(stocked, "show-ref")
    repo = DataRepo(stocked)
    for change in ({}, {"dry_run": True}):
        with pytest.raises(InvalidName, match=why):
            record(stocked, refit(small("2026dgt"), seed=9), run=run, **change)
    with pytest.raises(InvalidName, match=why):
        record(stocked, refit(small("2026dgt"), seed=1), run=run)  # nothing is new, and the name is wrong all the same
    if run:  # "" stands for the default, legacy/DATE
        (tmp_path / "tree").mkdir()
        with pytest.raises(InvalidName, match=why):
            repo.import_all(tmp_path / "tree", run=run)
    assert run_git(stocked, "show-ref") == before


def test_data_are_not_born_into_a_list(stocked, record):
    DataRepo(stocked).collections.create("nearby/v1", "TAGGED", "a list")
    with pytest.raises(InvalidInput, match="is a TAGGED collection, and data are born into a RUN"):
        record(stocked, refit(small("2026dgt"), seed=9), run="nearby/v1")


def test_a_run_holds_what_it_found_again(stocked, second_pass):
    collections = DataRepo(stocked).collections
    found = collections.members(second_pass)
    assert [str(each) for each in found] == ["2026abc@0", "2026dgt@1", "2026xyz@1"]
    assert [bool(each.attested) for each in found] == [True, True, False]
    abc = found[0]
    message = run_git(stocked, "show", "-s", "--format=%B", abc.attested).decode()
    assert "Reproduces: 0" in message
    assert f"Run: {second_pass}" in message
    assert collections.resolve(second_pass, "2026abc").attested == abc.attested
    assert str(collections.resolve(second_pass, "2026dgt")) == "2026dgt@1"
    with pytest.raises(NotFound, match="has no revision of 2026no"):
        collections.resolve(second_pass, "2026no")
    assert [str(each) for each in collections.members("night-1")] == ["2026abc@0", "2026dgt@0"]  # as before


def test_a_dataset_was_born_into_one_run_only(stocked, second_pass):
    repo = DataRepo(stocked)
    assert repo.log("2026abc")[0].revision.trailers["Run"] == "night-1"
    listed = {each.name: (each.born, each.attested) for each in repo.collections.runs()}
    assert listed == {"night-1": (2, 0), "night-2": (1, 0), second_pass: (1, 2)}


def test_the_very_same_export_joins_another_run_once(stocked, record):
    sample = small("2026abc")
    first = record(stocked, sample, run="night-9")
    assert first.status == "unchanged"
    assert first.marker is not None
    assert record(stocked, sample, run="night-9").marker is None
    assert record(stocked, sample, run="night-1").marker is None  # it was born there
    assert record(stocked, sample).marker is None
    assert [str(each) for each in DataRepo(stocked).collections.members("night-9")] == ["2026abc@0"]
    assert DataRepo(stocked).verify().is_sound


def test_two_runs_of_one_version_both_hold_it(stocked, record):
    for run in ("again/1", "again/2"):
        assert record(stocked, reprocess(small("2026abc"), **LATER), run=run).marker is not None
    collections = DataRepo(stocked).collections
    assert [[str(each) for each in collections.members(f"again/{i}")] for i in (1, 2)] == [["2026abc@0"]] * 2
    assert DataRepo(stocked).verify().is_sound


def test_a_begun_run_holds_one_revision_of_each_transient(stocked, record):
    DataRepo(stocked).collections.create("pass/1", "RUN", "begun on purpose")
    record(stocked, reprocess(small("2026abc"), **LATER), run="pass/1")
    with pytest.raises(InvalidInput, match="pass/1 holds 2026abc@0 already"):
        record(stocked, refit(small("2026abc"), seed=5), run="pass/1")
    record(stocked, refit(small("2026abc"), seed=5))
    again = reprocess(refit(small("2026abc"), seed=5), **{**LATER, "app_version": "v1.15.0"})
    with pytest.raises(InvalidInput, match="pass/1 holds 2026abc@0 already"):
        record(stocked, again, run="pass/1")
    with pytest.raises(Denied, match="pass/1 holds 2026abc@0, for good"):
        DataRepo(stocked).collections.delete("pass/1", "why")


def test_of_a_run_that_nobody_began_what_was_born_counts(stocked, record):
    record(stocked, reprocess(small("2026abc"), **LATER), run="loose")
    record(stocked, refit(small("2026abc"), seed=5), run="loose")
    assert [str(each) for each in DataRepo(stocked).collections.members("loose")] == ["2026abc@1"]
    record(stocked, refit(small("2026abc"), seed=6))
    record(stocked, reprocess(refit(small("2026abc"), seed=6), **LATER), run="loose")
    assert [str(each) for each in DataRepo(stocked).collections.members("loose")] == ["2026abc@1"]


def test_a_release_of_the_new_versions_run_holds_every_transient(stocked, second_pass, tmp_path, capsys):
    repo = DataRepo(stocked)
    repo.collections.create(second_pass, "RUN", "so that it can be frozen")
    assert repo.releases.freeze(second_pass, "1").datasets == 3
    assert repo.releases.verify(f"release/{second_pass}/1").is_sound
    done = repo.subset(tmp_path / "part", second_pass)
    assert done.revisions == ["2026abc@0", "2026dgt@1", "2026xyz@1"]
    part = DataRepo(tmp_path / "part")
    assert [bool(each.attested) for each in part.collections.members(second_pass)] == [True, True, False]
    assert part.verify().is_sound
    capsys.readouterr()
    assert main(["-C", str(stocked), "collection", "show", second_pass]) == 0
    shown = capsys.readouterr().out
    assert "2026abc@0  found again, as " in shown
    assert "2026xyz@1\n" in shown


def test_it_looks_different_in_lists_and_logs(stocked, second_pass, capsys):
    def said(*words: str) -> str:
        assert main(["-C", str(stocked), *words]) == 0
        return capsys.readouterr().out

    assert f"reproduced by v1.14.0 in {second_pass}, 2026-08-01" in said("log", "2026abc")
    assert [line.split()[:3] for line in said("run", "list", "re*").splitlines()[1:]] == [[second_pass, "1", "2"]]
    [listed] = json.loads(said("run", "list", second_pass, "--json"))
    assert listed == {"run": second_pass, "born": 1, "attested": 2, "begun": False, "problem": None}
    members = json.loads(said("collection", "members", second_pass, "--json"))
    assert [each["attested"] is None for each in members] == [False, False, True]


def test_searching_and_comparing_know_both(stocked, second_pass):
    pytest.importorskip("duckdb", reason="the extra `index` is not installed")
    repo = DataRepo(stocked)
    held = [("2026abc", 0), ("2026dgt", 1), ("2026xyz", 1)]
    assert [row[:2] for row in repo.find(run=second_pass).rows] == held
    assert repo.compare("night-1", second_pass).both == 2
    repo.collections.create(second_pass, "RUN", "begun after all")
    assert [row[:2] for row in repo.find(collection=second_pass).rows] == held
    with repo.index.open() as index:
        born = index.query("SELECT transient, is_born FROM members WHERE collection = ? ORDER BY 1", [second_pass]).rows
    assert born == [("2026abc", False), ("2026dgt", False), ("2026xyz", True)]


def test_the_index_follows_when_only_a_reproduction_comes(stocked, record):
    pytest.importorskip("duckdb", reason="the extra `index` is not installed")
    repo = DataRepo(stocked)
    repo.collections.create("pass/1", "RUN", "begun on purpose")
    assert repo.find(run="pass/1").rows == []
    record(stocked, reprocess(small("2026abc"), **LATER), run="pass/1")
    assert [row[:2] for row in repo.find(run="pass/1").rows] == [("2026abc", 0)]
    assert [row[:2] for row in repo.find(collection="pass/1").rows] == [("2026abc", 0)]


def test_old_names_stay_and_are_reported(stocked, record, capsys):
    _born_long_ago(stocked, small("2026old"), "2026-05 night 3")
    repo = DataRepo(stocked)
    assert [str(each) for each in repo.collections.members("2026-05 night 3")] == ["2026old@0"]
    assert str(repo.collections.resolve("2026-05 night 3", "2026old")) == "2026old@0"
    [odd] = [each for each in repo.collections.runs() if each.problem]
    assert (odd.name, odd.born, odd.is_begun) == ("2026-05 night 3", 1, False)
    report = repo.verify()
    assert report.is_sound
    [said] = [text for text in report.advice if "table of names" in text]
    assert "'2026-05 night 3'" in said
    assert main(["-C", str(stocked), "run", "list"]) == 0
    assert "is not a name of a collection" in capsys.readouterr().out


def test_elsewhere_it_is_the_same(stocked, second_pass):
    there = DataRepo(f"file://{stocked}").collections
    assert [str(each) for each in there.members(second_pass)] == ["2026abc@0", "2026dgt@1", "2026xyz@1"]
    assert [each.name for each in there.runs()] == ["night-1", "night-2", second_pass]
    assert there.resolve(second_pass, "2026abc").attested


def _born_long_ago(repo: Path, sample: Sample, run: str) -> None:
    """Record as code from before did, which took any text for the name of a run."""
    from unittest.mock import patch

    with (
        patch("blastgit.collections.runs.check_run_name"),
        patch("blastgit.collections.runs.check_membership"),
    ):
        export, data = replace(sample, export=copy.deepcopy(sample.export)).write(repo.parent / "long-ago")
        DataRepo(repo).record(sample.name, export, data, run=run)
