"""`publish: complete`: a state whose workflow failed or was interrupted gets no number, and `latest` never fails."""

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.crash import run_killed_at
from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.demo import Sample, reprocess
from blastgit.demo.changes import break_off, change_image, fail_stage, without_host
from blastgit.errors import InvalidData, InvalidInput, NotFound, RepoError, Withdrawn
from blastgit.recording.result import Recorded
from tests.settings import add_settings

Record = Callable[..., Recorded]
SED = "Global host SED inference"
NAME = "2026dgt"


@pytest.fixture
def strict(repo: Path) -> Path:
    """A data repo that gives numbers to complete states only."""
    add_settings(repo, "publish: complete")
    return repo


def later(sample: Sample, day: int, seed: int = 1) -> Sample:
    return reprocess(sample, app_version="v1.13.1", export_time=f"2026-06-{day:02}T09:00:00+00:00", seed=seed)


def failed(sample: Sample, day: int = 2) -> Sample:
    """A reprocess that brings another image, and whose global fit fails."""
    return fail_stage(change_image(later(sample, day), "DES_z", seed=day), SED)


def refs(repo: Path) -> dict[str, str]:
    listed = subprocess.check_output(["git", "-C", repo, "for-each-ref", "--format=%(refname) %(objectname)"])
    return dict(line.split() for line in listed.decode().splitlines())


def test_a_failed_state_is_kept_as_a_draft_and_moves_nothing_else(strict: Path, sample: Sample, record: Record) -> None:
    record(strict, sample)
    before = refs(strict)
    result = record(strict, failed(sample))
    assert (result.status, result.revision, result.tag) == ("draft", 1, None)
    assert (result.draft, result.because) == ("2026dgt@1:draft-1", f"{SED} failed")
    after = refs(strict)
    assert after.pop(f"refs/drafts/{NAME}") == result.commit
    assert after == before
    repo = DataRepo(strict)
    assert str(repo.show(NAME).revision) == "2026dgt@0"
    assert repo.verify().problems == []


def test_a_draft_can_be_planned(strict: Path, sample: Sample, record: Record) -> None:
    record(strict, sample)
    record(strict, failed(sample))
    plan = DataRepo(strict).plan(f"{NAME}@draft")
    assert plan.revision == f"{NAME}@1:draft-1"
    assert SED in [step.stage for step in plan.steps]


def test_a_complete_state_gets_the_number_that_the_draft_was_to_have(
    strict: Path, sample: Sample, record: Record
) -> None:
    record(strict, sample)
    record(strict, failed(sample))
    complete = change_image(later(sample, 4), "DES_z", seed=2)
    result = record(strict, complete)
    assert (result.status, result.tag, result.draft) == ("recorded", "2026dgt/1", None)
    repo = DataRepo(strict)
    [draft] = repo.drafts(NAME)
    assert not draft.is_open
    with pytest.raises(NotFound, match="has no draft now"):
        repo.show("2026dgt@draft:host", even_invalid=True)
    assert repo.show("2026dgt@1:draft-1:metadata.dataset_version").value == 1
    assert repo.verify().problems == []


def test_the_same_failure_again_is_no_second_draft(strict: Path, sample: Sample, record: Record) -> None:
    record(strict, sample)
    record(strict, failed(sample))
    before = refs(strict)
    again = fail_stage(change_image(later(sample, 9, seed=5), "DES_z", seed=2), SED)
    result = record(strict, again)
    assert (result.status, result.draft, result.tag) == ("unchanged", "2026dgt@1:draft-1", None)
    assert refs(strict) == before
    other = record(strict, failed(sample, 3))
    assert (other.status, other.draft) == ("draft", "2026dgt@1:draft-2")
    assert [str(each.draft) for each in DataRepo(strict).drafts(NAME)] == ["2026dgt@1:draft-2", "2026dgt@1:draft-1"]


def test_a_draft_is_over_when_what_is_published_holds_again(strict: Path, sample: Sample, record: Record) -> None:
    record(strict, sample)
    record(strict, failed(sample))
    assert record(strict, later(sample, 5)).status == "unchanged"
    repo = DataRepo(strict)
    assert [each.is_open for each in repo.drafts(NAME)] == [False]
    assert record(strict, later(sample, 6)).status == "unchanged"  # which needs no further mark
    assert record(strict, failed(sample)).draft == "2026dgt@1:draft-2"
    assert repo.verify().problems == []


def test_a_transient_that_never_got_through_has_drafts_and_no_revision(
    strict: Path, sample: Sample, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    assert record(strict, break_off(sample, "Global aperture photometry")).draft == "2026dgt@0:draft-1"
    repo = DataRepo(strict)
    [listed] = repo.list()
    assert (listed.revision, listed.draft) == (None, listed.status)
    with pytest.raises(NotFound, match="only drafts of runs that failed or broke off"):
        repo.show(NAME)
    assert repo.show("2026dgt@draft:transient.name").value == NAME
    assert repo.verify().problems == []
    assert main(["-C", str(strict), "list"]) == 0
    assert "draft" in capsys.readouterr().out
    assert record(strict, sample).tag == "2026dgt/0"
    assert repo.verify().problems == []


def test_a_finding_is_an_end(strict: Path, sample: Sample, record: Record) -> None:
    assert record(strict, without_host(sample)).status == "recorded"


def test_all_is_the_default_and_a_change_of_mind_touches_nothing_published(
    repo: Path, sample: Sample, record: Record
) -> None:
    assert record(repo, failed(sample)).tag == "2026dgt/0"
    add_settings(repo, "publish: complete")
    assert record(repo, failed(sample)).status == "unchanged"
    assert record(repo, failed(sample, 3)).draft == "2026dgt@1:draft-1"
    assert DataRepo(repo).verify().problems == []


def test_a_dry_run_says_so_and_writes_nothing(strict: Path, sample: Sample, record: Record) -> None:
    record(strict, sample)
    before = refs(strict)
    result = record(strict, failed(sample), dry_run=True)
    assert (result.status, result.draft, result.commit) == ("draft", "2026dgt@1:draft-1", None)
    assert refs(strict) == before


def test_what_a_person_reads(
    strict: Path, sample: Sample, record: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(strict, sample)
    folder = tmp_path / "run"
    folder.mkdir()
    export, data = failed(sample).write(folder)
    words = ["-C", str(strict), "record", NAME, "--export", str(export), "--data", str(data)]
    assert main([*words, "--dry-run"]) == 0
    assert "2026dgt would be kept as a draft (2026dgt@1:draft-1), because Global host SED" in capsys.readouterr().out
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "2026dgt is kept as a draft (2026dgt@1:draft-1), because Global host SED inference failed" in said
    assert "the latest revision is still 2026dgt@0; 2026dgt@1 comes when the run is complete" in said
    assert main(words) == 0
    assert "the values are those of the draft 2026dgt@1:draft-1, which was not published" in capsys.readouterr().out
    assert main(["-C", str(strict), "log", NAME]) == 0
    assert capsys.readouterr().out.startswith("2026dgt@1:draft-1")
    assert main(["-C", str(strict), "list"]) == 0
    assert "complete; draft: failed: Global host SED inference" in capsys.readouterr().out
    assert main(["-C", str(strict), "log", NAME, "--drafts", "--json"]) == 0
    [told] = json.loads(capsys.readouterr().out)
    assert (told["draft"], told["open"], told["because"]) == ("2026dgt@1:draft-1", True, f"{SED} failed")
    assert main(["-C", str(strict), "diff", "2026dgt@0", "2026dgt@draft"]) == 0
    assert "2026dgt@1:draft-1" in capsys.readouterr().out
    assert main(["-C", str(strict), "get", "2026dgt@draft", str(tmp_path / "got")]) == 13
    assert "2026dgt@1:draft-1" in capsys.readouterr().err
    assert (tmp_path / "got" / "2026dgt.json").exists()


def test_identify_knows_drafts(strict: Path, sample: Sample, record: Record, tmp_path: Path) -> None:
    record(strict, failed(sample))
    (tmp_path / "in").mkdir()
    export, _ = failed(sample).write(tmp_path / "in")
    assert DataRepo(strict).identify(export).matches == ("2026dgt@0:draft-1",)
    record(strict, sample)
    assert DataRepo(strict).identify(export).matches == ("2026dgt@0:draft-1",)


def test_identify_knows_the_files_of_drafts(strict: Path, sample: Sample, record: Record, tmp_path: Path) -> None:
    record(strict, sample)
    record(strict, failed(sample))
    DataRepo(strict).download(f"{NAME}@draft", tmp_path / "got", even_invalid=True)
    image = tmp_path / "got" / "cutout_cdn" / "DES" / "DES_z.fits"
    place = f"{NAME}@1:draft-1:cutout_cdn/DES/DES_z.fits"
    assert DataRepo(strict).identify(image).matches == (place,)
    assert DataRepo(strict).identify(image, of=NAME).matches == (place,)


def test_identify_knows_the_files_of_a_transient_that_has_drafts_only(
    strict: Path, sample: Sample, record: Record, tmp_path: Path
) -> None:
    record(strict, failed(sample))
    (tmp_path / "in").mkdir()
    _, data = failed(sample).write(tmp_path / "in")
    image = next(data.rglob("DES_z.fits"))
    place = f"{NAME}@0:draft-1:cutout_cdn/DES/DES_z.fits"
    assert DataRepo(strict).identify(image).matches == (place,)
    assert DataRepo(strict).identify(image, of=NAME).matches == (place,)


def test_an_import_keeps_drafts_too_and_makes_no_second_one(strict: Path, sample: Sample, tmp_path: Path) -> None:
    (tmp_path / "blast" / "exports").mkdir(parents=True)
    export, _ = failed(sample).write(tmp_path / "blast")
    export.rename(tmp_path / "blast" / "exports" / f"{NAME}.json")
    for folder in ("cutout_cdn", "sed_output"):
        found = next((tmp_path / "blast").rglob(folder))
        if found.parent != tmp_path / "blast":
            found.rename(tmp_path / "blast" / folder)
    repo = DataRepo(strict)
    assert repo.import_all(tmp_path / "blast").adopted == 1
    assert [str(each.draft) for each in repo.drafts(NAME)] == ["2026dgt@0:draft-1"]
    again = repo.import_all(tmp_path / "blast")
    assert (again.adopted, again.present) == (0, 1)
    assert len(repo.drafts(NAME)) == 1
    assert repo.verify().problems == []


def test_plain_git_never_gets_a_failed_state_and_gets_a_draft_by_its_ref(
    strict: Path, sample: Sample, record: Record, tmp_path: Path, run: Callable[..., str]
) -> None:
    record(strict, sample)
    record(strict, failed(sample))
    run("git", "clone", "-q", "--branch", NAME, strict, tmp_path / "clone")
    assert "failed" not in run("git", "log", "--format=%B", cwd=tmp_path / "clone")
    run("git", "fetch", "-q", "origin", f"refs/drafts/{NAME}", cwd=tmp_path / "clone")
    assert "Status: failed" in run("git", "log", "-1", "--format=%B", "FETCH_HEAD", cwd=tmp_path / "clone")


@pytest.mark.parametrize("words", ["sometimes", "[all]", "1"])
def test_a_setting_that_is_none_is_refused(repo: Path, words: str, sample: Sample, record: Record) -> None:
    add_settings(repo, f"publish: {words}")
    with pytest.raises(RepoError, match=r"publish in blastgit\.yaml on main is .*, but should be all or complete"):
        record(repo, sample)


def test_a_users_own_line_takes_any_state_and_promotion_asks_for_a_complete_one(
    strict: Path, sample: Sample, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(strict, sample)
    monkeypatch.setenv("GL_USER", "alice")
    folder = tmp_path / "mine"
    folder.mkdir()
    export, data = failed(sample).write(folder)
    repo = DataRepo(strict)
    assert repo.personal.record(NAME, export, data, user="alice").tag == "u/alice/2026dgt/0"
    with pytest.raises(InvalidData, match="is not complete: Global host SED inference ended with 'failed'"):
        repo.personal.promote("u/alice/2026dgt@0")
    # accepting invalid results does not override the repo's own rule: only complete states get numbers
    with pytest.raises(InvalidInput, match=r"u/alice/2026dgt@0 is not complete \(Global host SED inference failed\)"):
        repo.personal.promote("u/alice/2026dgt@0", even_invalid=True)
    assert [entry.revision.number for entry in repo.log(NAME)] == [0]


def test_a_worker_elsewhere_pushes_its_draft(strict: Path, sample: Sample, tmp_path: Path, record: Record) -> None:
    record(strict, sample)
    folder = tmp_path / "there"
    folder.mkdir()
    export, data = failed(sample).write(folder)
    remote = DataRepo(f"file://{strict}")
    assert remote.record(NAME, export, data).draft == "2026dgt@1:draft-1"
    assert remote.record(NAME, export, data).status == "unchanged"
    assert str(remote.show("2026dgt@draft:transient.name").revision) == "2026dgt@1:draft-1"
    assert [each.is_open for each in remote.drafts(NAME)] == [True]
    (tmp_path / "whole").mkdir()
    export, data = later(sample, 7).write(tmp_path / "whole")
    assert remote.record(NAME, export, data).status == "unchanged"
    assert [each.is_open for each in DataRepo(strict).drafts(NAME)] == [False]
    assert DataRepo(strict).verify().problems == []


def test_a_run_with_stages_goes_on_from_its_draft(strict: Path, sample: Sample, record: Record) -> None:
    record(strict, sample)
    run = DataRepo(strict).workflow(NAME, owner="night-7")
    run.begin("Host match")
    run.finish("Host match", export={"host": {"fields": {"redshift": 0.07}}})
    run.begin(SED)
    run.fail(SED, "time limit exceeded")
    assert run.end().draft == "2026dgt@1:draft-1"
    assert run.status() is None
    repo = DataRepo(strict)
    assert repo.verify().problems == []
    again = repo.workflow(NAME, owner="night-8")
    again.begin(SED)
    again.finish(SED, export=_fitted(sample))
    result = again.end()
    assert (result.status, result.tag) == ("recorded", "2026dgt/1")
    assert repo.show("2026dgt@1:host.redshift").value == pytest.approx(0.07)
    assert repo.verify().problems == []


def _fitted(sample: Sample) -> dict[str, Any]:
    rows = [row for row in sample.export["workflow_tasks"] if row["task_name"] == SED]
    return {"workflow_tasks": rows}


@pytest.mark.slow
def test_killed_at_every_step(strict: Path, sample: Sample, record: Record, tmp_path: Path) -> None:
    record(strict, sample)
    published = {ref: oid for ref, oid in refs(strict).items() if "/drafts/" not in ref}
    (tmp_path / "in").mkdir()
    export, data = failed(sample).write(tmp_path / "in")
    step = 0
    while run_killed_at(step, lambda: DataRepo(strict).record(NAME, export, data)).killed:
        assert DataRepo(strict).verify().problems == [], f"step {step}"
        assert {ref: oid for ref, oid in refs(strict).items() if "/drafts/" not in ref} == published
        step += 1
    assert len(DataRepo(strict).drafts(NAME)) == 1
    assert step > 5


IMAGE = "cutout_cdn/DES/DES_z.fits"


def test_a_file_of_a_draft_alone_can_be_withdrawn(
    strict: Path, sample: Sample, record: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(strict, sample)
    record(strict, failed(sample))
    repo = DataRepo(strict)
    done = repo.withdraw(f"{NAME}@1:draft-1:{IMAGE}", "private", now=True)
    assert (done.revision, done.paths, len(done.removed)) == (f"{NAME}@1:draft-1", [IMAGE], 1)
    assert repo.verify().problems == []
    with pytest.raises(Withdrawn, match="private"):
        repo.download(f"{NAME}@draft:{IMAGE}", tmp_path / "got", even_invalid=True)
    assert repo.download(f"{NAME}@0:{IMAGE}", tmp_path / "got").written
    assert repo.withdraw(f"{NAME}@1:draft-1:{IMAGE}", "private").paths == []
    assert main(["-C", str(strict), "withdraw", f"{NAME}@draft:{IMAGE}", "--reason", "x"]) == 2
    assert f"{NAME}@1:draft-1" in capsys.readouterr().err


def test_what_was_withdrawn_of_a_draft_is_not_withdrawn_of_the_revision_that_comes(
    strict: Path, sample: Sample, record: Record, tmp_path: Path
) -> None:
    record(strict, sample)
    record(strict, failed(sample))
    repo = DataRepo(strict)
    repo.withdraw(f"{NAME}@1:draft-1:{IMAGE}", "private", now=True)
    assert record(strict, change_image(later(sample, 3), "DES_z", seed=9)).revision == 1
    assert repo.download(f"{NAME}@1:{IMAGE}", tmp_path / "got").written
    assert repo.verify().problems == []
    with pytest.raises(Withdrawn, match="private"):  # the same bytes do not come back by the back door
        record(strict, change_image(later(sample, 4), "DES_z", seed=2))


def test_contents_of_drafts_are_needed_and_go_along(
    strict: Path, sample: Sample, record: Record, tmp_path: Path
) -> None:
    record(strict, sample)
    record(strict, failed(sample))
    assert DataRepo(strict).gc(delete=True, grace=timedelta(0)).to_json()["set_aside"] == []
    DataRepo(strict).migrate(tmp_path / "new")
    moved = DataRepo(tmp_path / "new")
    assert [str(each.draft) for each in moved.drafts(NAME)] == [f"{NAME}@1:draft-1"]
    assert moved.download(f"{NAME}@draft", tmp_path / "got", even_invalid=True).written
    assert DataRepo(strict).verify().problems == moved.verify().problems == []
