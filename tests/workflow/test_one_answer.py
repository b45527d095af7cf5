"""All interfaces report the same status of a revision, for any history."""

import copy
import json
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("duckdb", reason="the extra `index` is not installed")

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.demo import Sample, small
from blastgit.errors import NotFound
from blastgit.repository.history import History
from blastgit.repository.init import init
from blastgit.search.find import Criteria

NAME = "2026dgt"
STAGES = ("Cutout download", "Host match", "Validate local photometry", "Global host SED inference", "Spectrum")
ENDS = (
    ("processed", "success"), ("failed", "error"), ("no host match", "error"), ("no valid phot", "error"),
    ("redshift too high", "error"), ("not processed", "blank"), ("processing", "warning"),
)  # fmt: skip
MARKS = (None, "done", "begun", "failed", "no host match")


@dataclass(frozen=True)
class Run:
    """A run of the workflow: how stages end by the export, and what the markers of one say."""

    ends: dict[str, tuple[str, str]]
    marked: str
    mark: str | None


runs = st.builds(
    Run,
    st.dictionaries(st.sampled_from(STAGES), st.sampled_from(ENDS), max_size=3),
    st.sampled_from(STAGES[:4]),
    st.sampled_from(MARKS),
)


def sample_of(run: Run, number: int) -> Sample:
    """What a run hands in; its redshift is another one each time, so that it makes a revision."""
    sample = small(NAME)
    export: dict[str, Any] = copy.deepcopy(sample.export)
    export["transient"]["fields"]["redshift"] = 0.01 + number / 100
    when = datetime(2026, 7, 1 + number, tzinfo=UTC)
    export["metadata"]["export_time"] = when.isoformat()
    rows = {row["task_name"]: row for row in export["workflow_tasks"]}
    for stage, (message, kind) in run.ends.items():
        if stage not in rows:
            rows[stage] = {**copy.deepcopy(rows["Host match"]), "task_name": stage}
            export["workflow_tasks"].append(rows[stage])
        rows[stage]["status"] = {"message": message, "type": kind}
    return replace(sample, export=export)


def record(repo: Path, run: Run, number: int) -> None:
    if run.mark is not None:
        workflow = DataRepo(repo).workflow(NAME, "worker")
        workflow.begin(run.marked, lease=timedelta(microseconds=1) if run.mark == "begun" else timedelta(hours=1))
        if run.mark == "done":
            workflow.finish(run.marked)
        elif run.mark != "begun":
            workflow.fail(run.marked, run.mark)
    export, data = sample_of(run, number).write(repo.parent / f"in-{number}")
    assert DataRepo(repo).record(NAME, export, data).revision == number


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(st.lists(runs, min_size=1, max_size=3))
def test_all_that_tell_how_a_revision_stands_tell_the_same(runs: list[Run]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "repo"
        init(where, simulated=True)
        for number, run in enumerate(runs):
            record(where, run, number)
        repo = DataRepo(where)
        judged = {n: repo.validity(f"{NAME}@{n}").to_json() for n in range(len(runs))}
        said = {n: each["status"] for n, each in judged.items()}
        complete = {n for n, each in judged.items() if each["complete"]}
        assert complete == {n for n, text in said.items() if text == "complete"}
        history = History(repo.session.repository).revisions(NAME)
        assert {each.number: each.trailers["Status"] for each in history} == said
        assert {each.revision.number: each.status for each in repo.log(NAME)} == said
        assert {n: repo.provenance(f"{NAME}@{n}").about["status"] for n in said} == said
        [listed] = repo.list()
        assert listed.status == said[listed.revision]
        assert_index(repo, judged)
        assert_log(repo, judged)
        try:
            latest = repo.validity(f"{NAME}@latest-complete").revision.number
        except NotFound:
            latest = None
        assert latest == max(complete, default=None)
        assert repo.verify().is_sound


def assert_index(repo: DataRepo, judged: dict[int, dict[str, Any]]) -> None:
    said = {n: each["status"] for n, each in judged.items()}
    with repo.index.open() as index:
        rows = index.query("SELECT revision, status, is_complete FROM revisions").rows
        stages = index.query("SELECT revision, stage, state, outcome, reason, because FROM stages").rows
    assert {n: text for n, text, _ in rows} == said
    assert {n: flag for n, _, flag in rows} == {n: each["complete"] for n, each in judged.items()}
    for n, each in judged.items():
        told = [(s["stage"], s["state"], s["outcome"], s["reason"], s["because"]) for s in each["stages"]]
        if told:
            assert sorted(map(repr, told)) == sorted(repr(tuple(row[1:])) for row in stages if row[0] == n)
    failed = repo.find(Criteria(failed="any", all_revisions=True, columns=("dataset",)))
    assert {row[0] for row in failed} == {f"{NAME}@{n}" for n, text in said.items() if text.startswith("failed: ")}


def assert_log(repo: DataRepo, judged: dict[int, dict[str, Any]]) -> None:
    for entry in repo.log(NAME):
        states = {failure.state.value for failure in entry.failures}
        status = judged[entry.revision.number]["status"]
        assert bool(states) == (status != "complete")
        assert not states or status.partition(":")[0] in states


def test_a_finding_is_no_failure_wherever_it_is_told(repo, capsys):
    record(repo, Run({"Host match": ("no host match", "error")}, "Host match", None), 0)
    told = {}
    for words in (["list"], ["log", NAME], ["show", NAME, "--validity"], ["list", "--json"], ["log", NAME, "--json"]):
        assert main(["-C", str(repo), *words]) == 0
        told[" ".join(words)] = capsys.readouterr().out
    assert all("failed" not in text for text in told.values()), told
    assert "answered: Host match" in told["list"]
    assert "answered: Host match" in told[f"show {NAME} --validity"]
    assert json.loads(told["list --json"])[0]["status"] == "answered: Host match"
    assert main(["-C", str(repo), "find", "--failed", "any", "--names"]) == 0
    assert capsys.readouterr().out == ""


def test_what_older_code_wrote_of_a_revision_is_judged_anew(repo, monkeypatch):
    monkeypatch.setattr("blastgit.recording.wording.status_at_end", lambda *_: "failed: Host match")
    record(repo, Run({"Host match": ("no host match", "error")}, "Host match", None), 0)
    [listed] = DataRepo(repo).list()
    assert listed.status == "answered: Host match" == DataRepo(repo).log(NAME)[0].status


def test_what_is_not_there_is_not_left_over(repo, capsys):
    sample = sample_of(Run({"Host match": ("no host match", "error")}, "Host match", None), 0)
    sample.export["host"] = sample.export["transient"]["fields"]["host"] = None
    export, data = sample.write(repo.parent / "in")
    DataRepo(repo).record(NAME, export, data)
    assert main(["-C", str(repo), "show", f"{NAME}:host.redshift"]) != 0
    said = capsys.readouterr().err
    assert "has no 'host.redshift'" in said
    assert "Host match ended with 'no host match'" in said
    assert "left over" not in said


def test_a_trial_names_no_revision_that_there_is_not(repo, capsys):
    record(repo, Run({}, "Host match", None), 0)
    export, data = sample_of(Run({}, "Host match", None), 1).write(repo.parent / "in-1")
    words = ["-C", str(repo), "record", NAME, "--export", str(export), "--data", str(data)]
    assert main([*words, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "1 value would change" in said
    assert "@1" not in said
    assert main(words) == 0
    assert f"1 value changed: blastgit diff {NAME}@0 {NAME}@1" in capsys.readouterr().out


def test_a_run_that_made_no_revision_is_a_run(history, record, states, capsys):
    again = replace(states[2], export=copy.deepcopy(states[2].export))
    again.export["metadata"] = {"app_version": "v1.14.0", "export_time": "2026-07-09T00:00:00+00:00"}
    for task in again.export["workflow_tasks"]:
        task["last_modified"] = "2026-07-09T00:00:00+00:00"
    assert record(history, again, run="quiet/1").status == "unchanged"
    repo = DataRepo(history)
    assert repo.compare("quiet/1", "at:2027-01-01").both == 1
    assert [row[:2] for row in repo.find(run="quiet/1").rows] == [("2026dgt", 1)]
    for words in (["compare", "quiet/1", "quiet/1"], ["find", "--run", "quiet/1", "--names"]):
        assert main(["-C", str(history), *words]) == 0, capsys.readouterr().err
