"""Stages that start, end and fail: each makes a marker whose tree has everything up to that point."""

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import Sample, change_image, edit_flux, small
from blastgit.errors import InvalidExport, InvalidInput, InvalidName, NotFound, UsageError
from blastgit.plumbing.process import run_git
from blastgit.recording.stages import Workflow

NAME = "2026dgt"


def begun(repo: Path, owner: str = "run-1") -> Workflow:
    return DataRepo(repo).workflow(NAME, owner)


def git(repo: Path, *words: str) -> str:
    return run_git(repo, *words).decode().strip()


def files_in(repo: Path, commit: str) -> set[str]:
    listed = git(repo, "ls-tree", "-r", "--name-only", commit).splitlines()
    return {path.removesuffix(".dvc") for path in listed if path.endswith(".dvc")}


@pytest.fixture
def handed(sample: Sample, tmp_path: Path) -> tuple[Path, Path]:
    """The export and the data folder of a first run."""
    return sample.write(tmp_path / "first")


def test_a_first_run_from_nothing_to_revision_0(repo: Path, sample: Sample, handed: tuple[Path, Path]) -> None:
    export, data = handed
    run = begun(repo)
    run.begin("Cutout download")
    state = run.finish("Cutout download", data=data, only=["*.fits"])
    assert str(state) == "2026dgt@0:post-cutout-download"
    assert files_in(repo, state.id) == {
        path.replace(f"/{NAME}/", "/", 1) for path in sample.files if path.endswith(".fits")
    }
    assert DataRepo(repo).show(f"{NAME}@0:post-cutout-download:cutout_cdn/DES/DES_g.fits").kind == "file"
    run.begin("Host match")
    run.finish("Host match", export=export)
    run.begin("Global host SED inference")
    state = run.finish("Global host SED inference", data=data)
    assert len(files_in(repo, state.id)) == len(sample.files)
    result = run.end()
    assert (result.status, result.revision) == ("recorded", 0)
    assert git(repo, "log", "--reverse", "--format=%s", NAME).splitlines() == [
        "2026dgt: post Cutout download",
        "2026dgt: post Host match",
        "2026dgt: post Global host SED inference",
        "2026dgt revision 0: first revision, 15 files, by v1.12.0",
    ]
    assert git(repo, "for-each-ref", "refs/workflow") == ""
    assert DataRepo(repo).verify().problems == []


def test_a_stage_brings_only_what_it_made(history: Path, sample: Sample, tmp_path: Path) -> None:
    before = files_in(history, f"{NAME}/1")
    _, data = change_image(sample, "DES_g", seed=9).write(tmp_path / "new")
    run = begun(history)
    run.begin("Cutout download")
    state = run.finish("Cutout download", data=data, only=["DES_g.fits"])
    assert files_in(history, state.id) == before
    changed = git(history, "diff", "--name-only", f"{NAME}/1", state.id).splitlines()
    assert changed == ["2026dgt.json", "cutout_cdn/DES/DES_g.fits.dvc"]
    run.begin("Host MWEBV")
    state = run.finish("Host MWEBV", export={"host": {"fields": {"milkyway_dust_reddening": 0.25}}})
    document = json.loads(git(history, "show", f"{state.id}:{NAME}.json"))
    assert document["host"]["fields"]["milkyway_dust_reddening"] == 0.25
    assert document["host"]["fields"]["ra_deg"] == sample.export["host"]["fields"]["ra_deg"]
    assert document["metadata"]["dataset_version"] == 2
    assert git(history, "diff", "--name-only", f"{state.id}^", state.id).splitlines() == ["2026dgt.json"]


def test_stages_side_by_side_keep_each_others_rows(repo: Path, handed: tuple[Path, Path]) -> None:
    export, data = handed
    DataRepo(repo).record(NAME, export, data)
    first, second = begun(repo), begun(repo)
    first.begin("Global aperture photometry")
    second.begin("Local aperture photometry")
    rows = {row["fields"]["type"]: row["fields"]["name"] for row in json.loads(export.read_text())["apertures"]}
    for run, stage, scope, angle in (
        (first, "Global aperture photometry", "global", 1.0),
        (second, "Local aperture photometry", "local", 2.0),
    ):
        part = {"apertures": [{"fields": {"name": rows[scope], "orientation_deg": angle}}]}
        state = run.finish(stage, export=part)
    found = {row["fields"]["name"]: row["fields"] for row in state.dr.export.document["apertures"]}
    assert (found[rows["global"]]["orientation_deg"], found[rows["local"]]["orientation_deg"]) == (1.0, 2.0)


def test_a_whole_export_takes_the_place_of_all_rows(history: Path, sample: Sample) -> None:
    run = begun(history)
    run.begin("Host match")
    whole = {**sample.export, "cutouts": sample.export["cutouts"][:1]}
    state = run.finish("Host match", export=whole)
    assert len(state.dr.export.document["cutouts"]) == 1


def test_a_failure_says_why_and_the_document_has_it(history: Path) -> None:
    run = begun(history)
    run.begin("Host match")
    state = run.fail("Host match", "no host\nmatch")
    assert git(history, "log", "-1", "--format=%s", state.id) == "2026dgt: Host match failed: no host match"
    tasks = {row["task_name"]: row["status"] for row in state.dr.export.document["workflow_tasks"]}
    assert tasks["Host match"] == {"type": "error", "message": "no host match"}
    assert tasks["Cutout download"]["type"] == "success"


def test_what_blast_itself_says_of_its_task_stays(history: Path) -> None:
    run = begun(history)
    for said, kept in (("processing", "failed"), ("no host match", "no host match")):
        run.begin("Host match")
        part = {"workflow_tasks": [{"task_name": "Host match", "status": {"type": "error", "message": said}}]}
        state = run.fail("Host match", "failed", export=part)
        tasks = {row["task_name"]: row["status"]["message"] for row in state.dr.export.document["workflow_tasks"]}
        assert tasks["Host match"] == kept


def test_what_is_raised_in_a_stage_fails_it_and_goes_on(history: Path, sample: Sample, tmp_path: Path) -> None:
    _, data = change_image(sample, "DES_g", seed=9).write(tmp_path / "new")
    run = begun(history)

    def work() -> None:
        with run.stage("Cutout download") as bring:
            bring(data=data, only=["DES_g.fits"])
            raise OSError("the disk is\nfull")

    with pytest.raises(OSError, match="the disk"):
        work()
    status = run.status()
    assert status is not None
    [stage] = [each for each in status.stages if each.state != "not begun"]
    assert (stage.stage, stage.state, stage.reason) == ("Cutout download", "failed", "OSError: the disk is full")
    assert "cutout_cdn/DES/DES_g.fits.dvc" in git(history, "show", "--name-only", f"refs/workflow/{NAME}")
    with run.stage("Host MWEBV") as bring:
        bring(export={"host": {"fields": {"milkyway_dust_reddening": 0.5}}})
        bring(export={"host": {"fields": {"ra_deg": 1.5}}})
    fields = DataRepo(history).show(f"{NAME}@2:post-host-mwebv:host", even_invalid=True).value
    assert (fields["host.milkyway_dust_reddening"], fields["host.ra_deg"]) == (0.5, 1.5)


def test_what_a_stage_brings_bit_by_bit_replaces_nothing_else(history: Path) -> None:
    run = begun(history)
    before = DataRepo(history).show(f"{NAME}@1:photometry", even_invalid=True).value
    name = f"{NAME}_local"
    with run.stage("Local aperture photometry") as bring:
        bring(export={"apertures": [{"fields": {"name": name, "ra_deg": 1.5}}]})
        bring(export={"apertures": [{"fields": {"name": name, "dec_deg": 2.5}}]})
    state = f"{NAME}@2:post-local-aperture-photometry"
    opened = DataRepo(history)
    assert opened.show(f"{state}:photometry", even_invalid=True).value == before
    aperture = opened.show(f"{state}:apertures/{name}", even_invalid=True).value
    assert (aperture[f"apertures/{name}.ra_deg"], aperture[f"apertures/{name}.dec_deg"]) == (1.5, 2.5)


def test_a_published_document_may_be_brought_back(history: Path) -> None:
    published = git(history, "show", f"{NAME}/0:{NAME}.json").encode()
    run = begun(history)
    run.begin("Host match")
    state = run.finish("Host match", export=published)
    assert (state.dr.number, len(state.dr.files)) == (2, 15)


def test_a_run_that_ends_unchanged_leaves_no_markers(history: Path, states: tuple[Sample, ...], record: Any) -> None:
    run = begun(history)
    run.begin("Cutout download")
    run.finish("Cutout download")
    before = git(history, "rev-list", "--count", NAME)
    result = record(history, states[2])
    assert result.status == "unchanged"
    assert git(history, "for-each-ref", "refs/workflow") == ""
    assert int(git(history, "rev-list", "--count", NAME)) - int(before) == (1 if result.marker else 0)
    assert "post Cutout" not in git(history, "log", "--format=%s", NAME)


def test_a_run_can_be_dropped(history: Path) -> None:
    run = begun(history)
    assert not run.drop()
    run.begin("Host match")
    assert run.drop()
    assert git(history, "for-each-ref", "refs/workflow") == ""
    with pytest.raises(NotFound, match="no run in progress"):
        run.end()


def test_bad_calls(history: Path, repo: Path, sample: Sample, tmp_path: Path) -> None:
    run = begun(history)
    with pytest.raises(NotFound, match="did you mean Host match"):
        run.begin("Host mtch")
    with pytest.raises(UsageError, match="is out of range"):
        run.begin("Host match", lease=timedelta(0))
    with pytest.raises(InvalidInput, match="is not in progress"):
        run.finish("Host match")
    run.begin("Host match")
    with pytest.raises(InvalidInput, match="say why"):
        run.fail("Host match", " ")
    with pytest.raises(InvalidExport, match="pk"):
        run.finish("Host match", export={"cutouts": [{"fields": {"name": "new"}}]})
    with pytest.raises(InvalidExport, match="has no name"):
        run.finish("Host match", export={"cutouts": [{"fields": {}}]})
    with pytest.raises(InvalidExport, match="holds what JSON cannot"):
        run.finish("Host match", export={"host": {1, 2}})
    with pytest.raises(InvalidInput, match="cannot be read"):
        run.finish("Host match", export=tmp_path / "nowhere.json")
    with pytest.raises(InvalidExport, match="not JSON"):
        run.finish("Host match", export=b"{")
    with pytest.raises(InvalidName, match="is about '2026oth'"):
        run.finish("Host match", export=small("2026oth").export)
    with pytest.raises(InvalidInput, match=r"no file of 2026dgt that matches \*.h5"):
        run.finish("Host match", data=tmp_path, only=["*.h5"])
    with pytest.raises(InvalidInput, match="cannot name an owner"):
        begun(history, "two\nlines")
    run.finish("Host match")
    with pytest.raises(InvalidInput, match="is not in progress"):
        run.finish("Host match")
    with pytest.raises(InvalidName, match="only in case"):
        DataRepo(history).workflow("2026DGT", "run-1").begin("Host match")


def test_a_run_without_a_whole_export_does_not_end(repo: Path, handed: tuple[Path, Path]) -> None:
    export, data = handed
    run = begun(repo)
    run.begin("Cutout download")
    run.finish("Cutout download", data=data)
    with pytest.raises(InvalidInput, match=r"no stage of 2026dgt set `metadata.app_version`"):
        run.end()
    run.begin("Host match")
    run.finish("Host match", export=export)
    assert run.end().revision == 0
    run.begin("Cutout download")
    state = run.finish("Cutout download", export={"cutouts": _cutout_of_another_survey(export)})
    assert state.towards == 1
    with pytest.raises(InvalidInput, match="which no stage of 2026dgt made"):
        run.end()


def _cutout_of_another_survey(export: Path) -> list[dict[str, Any]]:
    row = next(row for row in json.loads(export.read_text())["cutouts"] if not row["fields"]["fits"])
    return [{"fields": {"name": row["fields"]["name"], "fits": f"/data/cutout_cdn/{NAME}/SDSS/SDSS_r.fits"}}]


def test_ending_reads_no_file_again(history: Path, sample: Sample, tmp_path: Path) -> None:
    _, data = change_image(sample, "DES_g", seed=9).write(tmp_path / "new")
    run = begun(history)
    run.begin("Cutout download")
    run.finish("Cutout download", data=data, only=["DES_g.fits"])
    shutil.rmtree(data)
    result = run.end(run="night-7")
    assert (result.status, result.revision) == ("recorded", 2)
    assert [file.path for file in result.files if file.counts] == ["cutout_cdn/DES/DES_g.fits"]
    opened = DataRepo(history)
    assert opened.verify().problems == []
    assert opened.get(f"{NAME}@2", tmp_path / "got").written
    log = git(history, "log", "-2", "--format=%(trailers:key=Run,valueonly)", NAME).split()
    assert log == ["night-7", "night-7"]


def test_the_same_by_hand_in_a_shell(
    repo: Path, handed: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from blastgit.cli.main import main

    export, data = handed
    monkeypatch.setenv("BLASTGIT_REPO", str(repo))
    monkeypatch.setenv("BLASTGIT_OWNER", "night-7")
    assert main(["stage", "begin", NAME, "cutout-download", "--lease", "2h"]) == 0
    token = capsys.readouterr().out.strip()
    assert main(["stage", "finish", NAME, "cutout-download", "--data", str(data), "--token", token, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "2026dgt@0:post-cutout-download"
    assert main(["stage", "begin", NAME, "host-match"]) == 0
    assert main(["stage", "fail", NAME, "host-match", "--reason", "no host"]) == 0
    assert main(["stage", "begin", NAME, "host-match", "--owner", "another"]) == 0
    assert main(["stage", "finish", NAME, "host-match", "--export", str(export)]) == 7  # it is another's
    assert main(["stage", "finish", NAME, "host-match", "--export", str(export), "--owner", "another"]) == 0
    capsys.readouterr()
    assert main(["stage", "end", NAME, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "recorded"
    assert main(["log", NAME, "--stages"]) == 0
    assert "post Host match, " in capsys.readouterr().out
    assert main(["stage", "drop", NAME]) == 0
    assert "there was no run" in capsys.readouterr().out


def test_plain_git_and_dvc_give_the_state_at_a_marker(
    repo: Path, handed: tuple[Path, Path], run: Callable[..., str], tmp_path: Path
) -> None:
    _, data = handed
    workflow = begun(repo)
    workflow.begin("Cutout download")
    workflow.finish("Cutout download", data=data, only=["*.fits"])
    clone = tmp_path / "clone"
    subprocess.run(["git", "init", "-q", clone], check=True)
    run("git", "fetch", "-q", repo, f"refs/workflow/{NAME}", cwd=clone)
    run("git", "checkout", "-q", "FETCH_HEAD", cwd=clone)
    run("dvc", "pull", "-q", cwd=clone)
    for path in data.rglob("*.fits"):
        survey = path.parent.name
        assert (clone / "cutout_cdn" / survey / path.name).read_bytes() == path.read_bytes()


def test_the_store_may_be_collected_while_a_run_is_in_progress(history: Path, sample: Sample, tmp_path: Path) -> None:
    _, data = change_image(sample, "DES_g", seed=9).write(tmp_path / "new")
    run = begun(history)
    run.begin("Cutout download")
    run.finish("Cutout download", data=data, only=["DES_g.fits"])
    opened = DataRepo(history)
    assert opened.gc(grace=timedelta(0)).set_aside == []
    run.drop()
    assert len(opened.gc(grace=timedelta(0)).set_aside) == 1


def test_verify_looks_at_runs_too(repo: Path, handed: tuple[Path, Path], sample: Sample) -> None:
    _, data = handed
    run = begun(repo)
    run.begin("Cutout download")
    state = run.finish("Cutout download", data=data, only=["*.fits"])
    opened = DataRepo(repo)
    assert opened.verify().problems == []
    assert opened.verify(NAME).contents == 4
    md5 = state.pointer("cutout_cdn/DES/DES_g.fits").md5
    (repo / f"dvc/files/md5/{md5[:2]}/{md5[2:]}").unlink()
    [problem] = opened.verify().problems
    assert (problem.kind, problem.where) == ("missing", "2026dgt@0:post-cutout-download:cutout_cdn/DES/DES_g.fits")


def test_a_flux_that_a_stage_changed_is_the_reason(history: Path, states: tuple[Sample, ...]) -> None:
    run = begun(history)
    run.begin("Global aperture photometry")
    run.finish("Global aperture photometry", export=edit_flux(states[2], "DES_z", 2.0).export)
    assert run.end().reason.startswith("flux changed in DES_z")
