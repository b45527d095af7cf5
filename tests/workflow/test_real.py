"""Blast's real transients: what is valid in them, and what a failure of a later run would leave."""

import json

import pytest

from blastgit import DataRepo
from blastgit.errors import InvalidData
from blastgit.repository.init import init
from blastgit.workflow.stages import default_stages

pytestmark = pytest.mark.slow


def _record(repo, case, name, export=None):
    return DataRepo(repo).record(name, export or case / "export.json", case / "data")


def test_every_real_run_that_succeeded_is_valid_and_calls_for_nothing(cases, repo):
    init(real := repo.parent / "real")
    for transient, case in (("2010H", "a_first"), ("2010H", "b2_reprocess_new_version"), ("2010ag", "a_first")):
        result = _record(real, cases / transient / case, transient)
        data = DataRepo(real)
        judged = data.validity(f"{transient}@{result.revision}")
        assert judged.validity.is_complete
        assert judged.invalid == {}
        assert data.plan(transient).steps == []


def test_a_real_transient_without_host_comes_back_whole(cases, repo, tmp_path):
    init(real := repo.parent / "real")
    _record(real, cases / "2010ai/a_first", "2010ai")
    got = DataRepo(real).get("2010ai", tmp_path / "got")
    count = sum(1 for path in (cases / "2010ai/a_first/data").rglob("*") if path.is_file())
    assert len(got.written) == count + 1
    assert got.invalid == {}
    assert all(
        text.startswith("as Cutout download left it: Crop transient images does not apply")
        for path, text in got.remarks.items()
        if path.endswith(".fits")
    )


@pytest.mark.parametrize(
    ("task", "message", "valid", "invalid"),
    [
        ("Global host SED inference", "failed", ["host", "photometry", "sed/local"], ["sed/global", "sfh/global"]),
        (
            "Host match",
            "no host match",
            ["cutouts", "transient.ra_deg"],
            ["host", "photometry", "sed/local", "sed/global"],
        ),
        (
            "Cutout download",
            "failed",
            ["transient.ra_deg"],
            ["cutouts", "host", "apertures", "photometry", "sed/local"],
        ),
    ],
)
def test_what_a_failed_run_leaves_of_a_real_one(cases, repo, tmp_path, task, message, valid, invalid):
    init(real := repo.parent / "real")
    case = cases / "2010H/b2_reprocess_new_version"
    _record(real, case, "2010H")
    export = json.loads((case / "export.json").read_bytes())
    later = {stage.name for stage in default_stages().after(task)}
    for row in export["workflow_tasks"]:
        if row["task_name"] == task:
            row["status"] = {"type": "error", "message": message}
        elif row["task_name"] in later:
            row["status"] = {"type": "blank", "message": "not processed"}
    assert _record(real, case, "2010H", json.dumps(export).encode()).revision == 1
    data = DataRepo(real)
    for path in valid:
        assert data.show(f"2010H@1:{path}").invalid == {}
    for path in invalid:
        with pytest.raises(InvalidData, match="the same as in 2010H@0"):
            data.show(f"2010H@1:{path}")
    with pytest.raises(InvalidData):
        data.get("2010H", tmp_path / "got")
    whole = data.get("2010H", tmp_path / "got", even_invalid=True)
    assert len(whole.written) + len(whole.kept) == len(data.show("2010H:files").value) + 1
    assert data.get("2010H@latest-complete", tmp_path / "complete").revision == "2010H@0"
