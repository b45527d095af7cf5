"""The status of runs, on the command line and in Python."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.demo import Sample, small
from blastgit.errors import NotFound
from blastgit.plumbing.process import run_git

NAME = "2026dgt"
INSTANT = timedelta(microseconds=1)
Say = Callable[..., str]


@pytest.fixture
def say(history: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run a command; return what it prints."""
    monkeypatch.setenv("BLASTGIT_REPO", str(history))

    def call(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(list(words)) == code
        return capsys.readouterr().out

    return call


def test_what_never_ended_shows_as_such(history: Path, say: Say) -> None:
    assert say("status") == "no run is in progress\n"
    run = DataRepo(history).workflow(NAME, "night-7")
    run.begin("Cutout download")
    run.finish("Cutout download")
    run.begin("Host match")
    run.fail("Host match", "no host match")
    assert ["Host match", "answered", "no host match"] in [line.split("  ")[1:] for line in say("status").splitlines()]
    run.begin("Host match")
    assert say("status", "--exit-code").splitlines()[0].endswith("UTC; 1 of 17 stages done")
    run.begin("Transient MWEBV", lease=INSTANT)
    lines = say("status", "--exit-code", code=1).splitlines()
    assert lines[0].startswith("2026dgt  towards revision 2, since ")
    assert lines[1].split("  ")[1:3] == ["Transient MWEBV", "never ended"]
    assert "night-7 on " in lines[1]
    assert lines[2].split()[:5] == ["Host", "match", "at", "work", "night-7"]
    assert lines[2].endswith("2 attempts")
    assert len(lines) == 3
    full = say("status", NAME).splitlines()
    assert len(full) == 18
    assert sum("not begun" in line for line in full) == 14
    [status] = DataRepo(history).status()
    assert [each.stage for each in status.never_ended] == ["Transient MWEBV"]


def test_runs_of_several_transients(history: Path, record: Any, say: Say) -> None:
    record(history, small("2026abc", seed=5))
    for name in (NAME, "2026abc", "2027new"):
        DataRepo(history).workflow(name, "night-7").begin("Cutout download")
    assert [each.transient for each in DataRepo(history).status()] == ["2026abc", NAME, "2027new"]
    assert [(each.latest, each.towards) for each in DataRepo(history).status("2027*")] == [(None, 0)]
    assert say("status", "2026*").count("towards") == 2


def test_json_has_stable_keys(history: Path, say: Say) -> None:
    DataRepo(history).workflow(NAME, "night-7").begin("Cutout download")
    [status] = json.loads(say("status", "--json"))
    assert status.keys() == {"transient", "towards", "began", "latest", "stages", "damage"}
    assert status["stages"][0].keys() == {
        "stage", "state", "owner", "host", "began", "until", "reason", "attempts", "marker",
    }  # fmt: skip
    begun = json.loads(say("stage", "begin", NAME, "cutout-download", "--owner", "night-7", "--json"))
    assert begun.keys() == {"transient", "stage", "owner", "host", "began", "until", "token", "attempts"}
    ended = json.loads(say("stage", "finish", NAME, "cutout-download", "--owner", "night-7", "--json"))
    assert ended.keys() == {"transient", "state", "stage", "outcome", "commit"}
    assert json.loads(say("stage", "drop", NAME, "--json")) == {"transient": NAME, "dropped": True}


def test_a_run_that_cannot_be_read_hides_no_other_and_keeps_nobody_from_recording(
    history: Path, states: tuple[Sample, ...], record: Any, say: Say
) -> None:
    DataRepo(history).workflow("2027new", "night-7").begin("Cutout download")
    run_git(history, "update-ref", f"refs/workflow/{NAME}", f"refs/heads/{NAME}")
    damaged, sound = DataRepo(history).status()
    assert damaged.transient == NAME
    assert "is not a valid marker of a stage" in str(damaged.damage)
    assert sound.damage is None
    assert "2026dgt  cannot be read: " in say("status")
    assert record(history, states[0]).revision == 2
    assert "the run was discarded" in say("stage", "drop", NAME)
    assert len(DataRepo(history).status()) == 1


def test_whoever_may_only_read_sees_how_runs_stand(history: Path) -> None:
    DataRepo(history).workflow(NAME, "night-7").begin("Cutout download")
    (history / "blastgit/locks").rmdir()
    [status] = DataRepo(history).status()
    assert status.stages[0].state == "at work"


def test_a_name_that_is_none_gets_the_nearest_ones(history: Path, record: Any) -> None:
    record(history, small(NAME))
    assert list(DataRepo(history).status(NAME)) == []
    with pytest.raises(NotFound, match=f"no transient 2026dtg .*did you mean {NAME}"):
        DataRepo(history).status("2026dtg")
    assert list(DataRepo(history).status("2031*")) == []
