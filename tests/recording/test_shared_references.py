"""The filters and surveys in exports become separate references, in addition to the recording."""

import copy
import os
import pwd
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.demo import Sample, change_image, refit, small
from blastgit.errors import RepoError
from blastgit.plumbing.process import run_git
from blastgit.plumbing.ref_update import RefMoved
from blastgit.recording import shared
from tests.settings import add_settings

pytestmark = pytest.mark.usefixtures("shared_references")

FILTER = "r/filter/DES_z"


def at(sample: Sample, time: str, **fields: Any) -> Sample:
    """Return another state, written at a time, in which some fields of the filter DES_z are others."""
    export = copy.deepcopy(sample.export)
    export["metadata"]["export_time"] = time
    for row in export["filters"]:
        if row["fields"]["name"] == "DES_z":
            row["fields"].update(fields)
    return replace(sample, export=export)


def revisions(repo: Any, line: str = FILTER) -> list[int]:
    return [entry.revision.number for entry in DataRepo(repo).log(line)]


def test_the_first_export_begins_the_lines_of_what_it_uses(repo, sample, record):
    result = record(repo, sample)
    used = {row["fields"]["name"] for row in sample.export["filters"]} & {"2MASS_J", "WISE_W1", "DES_g", "DES_z"}
    opened = DataRepo(repo)
    assert opened.references.lines("filter") == sorted(f"r/filter/{name}" for name in used)
    assert opened.references.lines("survey") == ["r/survey/2MASS", "r/survey/DES", "r/survey/WISE"]
    assert sorted(result.references) == sorted(f"{line}/0" for line in opened.references.lines())
    said = opened.show(FILTER).value
    assert said["reference"]["fields"]["survey"] == "DES"
    assert "pk" not in said["reference"]["fields"]
    assert said["metadata"]["export_time"].startswith("2026-05-27")
    report = opened.verify()
    assert (report.problems, report.transients, report.revisions, report.references) == ([], 1, 1, 7)


def test_a_dry_run_foresees_what_changes(repo, sample, record, tmp_path, capsys):
    before = run_git(repo, "for-each-ref")
    foreseen = record(repo, sample, dry_run=True)
    assert run_git(repo, "for-each-ref") == before
    assert sorted(foreseen.references) == sorted(record(repo, sample).references) != []
    assert record(repo, sample, dry_run=True).references == ()
    changed = at(refit(sample, seed=5), "2026-09-01T00:00:00+00:00", ab_offset=0.5)
    export, data = map(str, changed.write(tmp_path / "changed"))
    words = ["-C", str(repo), "record", sample.name, "--export", export, "--data", data]
    assert main([*words, "--dry-run"]) == 0
    assert "  1 reference would change: r/filter/DES_z@1\n" in capsys.readouterr().out
    assert main(words) == 0
    assert "  1 reference changed: r/filter/DES_z@1\n" in capsys.readouterr().out


def test_what_is_unchanged_makes_nothing(repo, sample, record):
    record(repo, sample)
    assert record(repo, small("2026abc")).references == ()
    assert record(repo, at(refit(sample, seed=5), "2026-09-01T00:00:00+00:00")).references == ()
    record(repo, at(change_image(sample, "DES_z", seed=4), "2026-09-02T00:00:00+00:00", ab_offset=1.0))
    wobble = change_image(sample, "DES_z", seed=3)
    assert record(repo, at(wobble, "2026-10-01T00:00:00+00:00", ab_offset=1.0000000000000002)).references == ()
    assert revisions(repo) == [1, 0]


def test_a_changed_row_is_one_revision_whoever_brings_it(repo, sample, record):
    record(repo, sample)
    later = "2026-09-01T00:00:00+00:00"
    assert record(repo, at(sample, later, ab_offset=0.25)).references == (f"{FILTER}/1",)
    assert record(repo, at(small("2026abc"), later, ab_offset=0.25)).references == ()
    assert revisions(repo) == [1, 0]
    assert "reference.ab_offset changed from" in DataRepo(repo).log(FILTER)[0].revision.reason


def test_an_older_export_that_comes_later_turns_nothing_back(repo, sample, record):
    record(repo, at(sample, "2026-09-01T00:00:00+00:00", ab_offset=0.25))
    assert record(repo, small("2026abc")).references == ()
    assert revisions(repo) == [0]


def test_what_people_added_stays(repo, sample, record, tmp_path):
    record(repo, sample)
    curve = tmp_path / "DES_z.dat"
    curve.write_text("9000 0.8\n")
    opened = DataRepo(repo)
    opened.references.record(FILTER, files=[curve], changed={"detector": "DECam"})
    assert record(repo, at(sample, "2030-09-01T00:00:00+00:00", ab_offset=0.25)).references == (f"{FILTER}/2",)
    found = opened.show(FILTER).value
    assert found["reference"]["fields"]["detector"] == "DECam"
    assert list(found["files"]) == ["files/DES_z.dat"]
    assert record(repo, small("2026abc")).references == ()


def test_a_field_that_blast_empties_goes(repo, sample, record):
    record(repo, at(sample, "2026-06-01T00:00:00+00:00", ab_offset=0.25))
    record(repo, at(sample, "2026-06-02T00:00:00+00:00", ab_offset=None))
    assert "ab_offset" not in DataRepo(repo).show(FILTER).value["reference"]["fields"]


def test_ones_own_line_says_nothing_of_filters_for_all(repo, sample, record, tmp_path):
    record(repo, sample)
    export, data = at(sample, "2026-09-01T00:00:00+00:00", ab_offset=0.25).write(tmp_path / "own")
    DataRepo(repo).personal.record(sample.name, export, data)
    assert revisions(repo) == [0]


def test_a_dry_run_writes_nothing(repo, sample, record):
    record(repo, sample, dry_run=True)
    assert DataRepo(repo).references.lines() == []


def test_names_that_no_ref_can_have_stay_in_the_export(repo, sample, record):
    export = copy.deepcopy(sample.export)
    for row in export["filters"]:
        if row["fields"]["name"] == "DES_z":
            row["fields"]["name"] = "DES z/2"
    assert record(repo, replace(sample, export=export)).status == "recorded"
    assert "r/filter/DES_g" in DataRepo(repo).references.lines()


def test_a_repo_can_do_without(repo, sample, record):
    add_settings(repo, "references: {filter: {about: by hand}, survey: null}")
    assert record(repo, sample).references == ()


@pytest.mark.parametrize("error", [RefMoved("moved"), RepoError("full")])
def test_no_recording_fails_because_of_it(repo, sample, record, monkeypatch, error):
    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(shared, "_update", fail)
        assert record(repo, sample).references == ()
    again = record(repo, sample)  # the next one makes up for it
    assert again.status == "unchanged"
    assert f"{FILTER}/0" in again.references


def test_two_at_once_make_one_revision(repo, record, tmp_path):
    samples = [small(f"2026ab{letter}") for letter in "cdef"]
    written = [(sample.name, *sample.write(tmp_path / sample.name)) for sample in samples]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda each: DataRepo(repo).record(*each), written))
    assert [result.status for result in results] == ["recorded"] * 4
    assert len(DataRepo(repo).list()) == 4
    assert revisions(repo) == [0]
    assert DataRepo(repo).verify().problems == []


def test_a_push_brings_them_and_the_policy_is_heard(repo, sample, record, run, tmp_path):
    record(repo, sample)
    writers = '[{who: worker, for: ["2026*"]}, {who: other, for: ["r/*"]}]'
    me = pwd.getpwuid(os.geteuid()).pw_name
    add_settings(repo, f"policy: {{roles: {{admin: [boss, {me}], writer: {writers}}}}}")
    source = tmp_path / "source"
    run("git", "clone", "-q", "--mirror", repo, source)
    shutil.copytree(repo / "dvc", tmp_path / "dvc")
    record(source, at(sample, "2030-01-01T00:00:00+00:00", ab_offset=0.5))
    DataRepo(source).references.record("r/model/sbi", values={"seed": 1})
    DataRepo(source).references.record("r/skymap/rings", values={"order": 9})

    def push(who: str, *lines: str) -> str:
        specs = [f"refs/{kind}/{line}" for line in lines for kind in ("heads", "tags")]
        refs = [spec if "/heads/" in spec else f"{spec}/*:{spec}/*" for spec in specs]
        command = ["git", "-C", source, "push", "-q", f"file://{repo}", *refs]
        env = {**os.environ, "GL_USER": who}
        return subprocess.run(command, capture_output=True, text=True, env=env, check=False).stderr

    assert "eve does not have the role 'writer'" in push("eve", FILTER)
    assert push("worker", FILTER, "2026dgt") == ""
    assert "does not have the role 'writer' for r/model/sbi" in push("worker", "r/model/sbi")
    assert push("other", "r/model/sbi") == ""
    assert "curator" in push("other", "r/skymap/rings")
    assert push("boss", "r/skymap/rings") == ""
    assert DataRepo(repo).verify().problems == []


def test_another_repo_brings_the_references_that_are_not_here(repo, sample, record, tmp_path):
    record(repo, sample)
    DataRepo(repo).references.record("r/model/sbi", values={"seed": 1})
    here = DataRepo.init(tmp_path / "here", simulated=True)
    here.take_in(repo)
    assert here.references.lines() == DataRepo(repo).references.lines()
    assert here.verify().problems == []
    DataRepo(repo).references.record("r/model/sbi", values={"seed": 2})
    here.take_in(repo, only="r/model/*")
    assert [entry.revision.number for entry in here.log("r/model/sbi")] == [1, 0]


def test_collections_hold_them(repo, sample, record):
    record(repo, sample)
    opened = DataRepo(repo)
    opened.collections.create("zero-points/v1", "TAGGED", "test")
    opened.collections.add("zero-points/v1", ["r/survey/DES@0"], "test")
    assert [str(each.dataset) for each in opened.collections.members("zero-points/v1")] == ["r/survey/DES@0"]
    opened.collections.create("calib/DM-1", "CALIBRATION", "test")
    opened.collections.certify("calib/DM-1", [f"{FILTER}@0"], "test", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
    found = opened.collections.members("calib/DM-1", time="2026-06-01T00:00:00Z")
    assert [str(each.dataset) for each in found] == [f"{FILTER}@0"]
    assert opened.verify().problems == []
