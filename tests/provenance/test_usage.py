import json

import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.cli import main
from blastgit.errors import NotFound


def test_nothing_is_noted_unless_wanted(history, tree_of, tmp_path):
    before = tree_of(history)
    repo = DataRepo(history)
    repo.show("2026dgt@0")
    repo.get("2026dgt@0", tmp_path / "got")
    assert tree_of(history) == before
    with pytest.raises(NotFound, match=r"blastgit\.usage true"):
        repo.usage()


def test_reads_are_noted_in_the_repo(history, run, tmp_path):
    run("git", "-C", history, "config", "blastgit.usage", "true")
    repo = DataRepo(history)
    assert repo.usage() == []
    repo.show("2026dgt@0")
    repo.get("2026dgt@0", tmp_path / "got")
    repo.diff("2026dgt@0", "2026dgt@1")
    assert {usage.revision: usage.count for usage in repo.usage()} == {"2026dgt@0": 3, "2026dgt@1": 1}
    assert [usage.revision for usage in repo.usage("*@1")] == ["2026dgt@1"]
    assert repo.verify().problems == []


def test_reads_from_elsewhere_are_noted_in_a_file_of_ones_own(library, tmp_path, monkeypatch):
    monkeypatch.setenv("BLASTGIT_USAGE", str(tmp_path / "mine"))
    DataRepo(library.as_uri()).show("2026dgt@1")
    assert [usage.revision for usage in DataRepo(library.as_uri()).usage()] == ["2026dgt@1"]


def test_a_note_that_cannot_be_written_stops_nobody(library, tmp_path, monkeypatch):
    monkeypatch.setenv("BLASTGIT_USAGE", str(tmp_path / "none" / "mine"))
    assert DataRepo(library).show("2026dgt@1:host.redshift").value
    assert DataRepo(library).usage() == []


def test_orphans(repo, states, record, run):
    for number, state in enumerate((states[0], states[2])):
        record(repo, state, run=f"reprocessing/{number}")
    found = DataRepo(repo).orphans(0)
    assert [(each.kind, each.name, each.revisions) for each in found] == [("run", "reprocessing/0", ["2026dgt@0"])]
    assert DataRepo(repo).orphans(100_000) == []
    run("git", "-C", repo, "config", "blastgit.usage", "true")
    DataRepo(repo).show("2026dgt@0")
    assert DataRepo(repo).orphans(0) == []


def test_annotated_runs_are_no_orphans(repo, states, record):
    for number, state in enumerate((states[0], states[2])):
        record(repo, state, run=f"reprocessing/{number}")
    DataRepo(repo).annotations.add(["2026dgt@0"], AnnotationBody(comment="the one of the paper"))
    assert DataRepo(repo).orphans(0) == []


def test_the_command_line(history, run, capsys):
    run("git", "-C", history, "config", "blastgit.usage", "true")
    assert main(["-C", str(history), "usage"]) == 0
    assert main(["-C", str(history), "show", "2026dgt@0:host.redshift"]) == 0
    capsys.readouterr()
    assert main(["-C", str(history), "usage", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["revision"] == "2026dgt@0"
    assert main(["-C", str(history), "orphans"]) == 0
    assert "0 orphans" in capsys.readouterr().out
