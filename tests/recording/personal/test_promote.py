"""Promoting: a revision of a personal line becomes the next official one, if it differs from the latest."""

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.demo import fail_stage
from blastgit.errors import DamagedData, Denied, InvalidData, InvalidInput, NotFound, Withdrawn
from blastgit.plumbing.locks import hold
from blastgit.repository.recovery import roll_forward

pytestmark = pytest.mark.slow


def test_it_becomes_the_next_official_revision(own, me):
    repo, line = DataRepo(own), f"u/{me}/2026dgt"
    trial = repo.personal.promote(f"{line}@0", dry_run=True)
    assert (trial.status, trial.revision, trial.commit) == ("recorded", 2, None)
    assert [each.revision for each in repo.list()] == [1]
    done = repo.personal.promote(f"{line}@0")
    assert (done.tag, done.before) == ("2026dgt/2", "2026dgt@1")
    entry = repo.log("2026dgt")[0]
    assert entry.revision.reason.startswith(f"promoted from {line}@0: ")
    assert entry.revision.trailers["Promoted-From"] == f"{line}@0"
    assert "Line" not in entry.revision.trailers
    assert repo.diff("2026dgt@2", f"{line}@0").files == []
    assert repo.show("2026dgt@2:metadata.dataset_version").value == 2
    assert repo.list("u/*")[0].revision == 1, "the line stays"
    assert repo.verify().problems == []


def test_what_equals_the_latest_makes_a_marker_and_no_revision(own, me):
    repo, line = DataRepo(own), f"u/{me}/2026dgt"
    repo.personal.promote(f"{line}@1")
    again = repo.personal.promote(f"{line}@1")
    assert (again.status, again.revision) == ("unchanged", 2)
    assert [each.revision for each in repo.list()] == [2]
    assert repo.personal.promote(f"{line}@0").revision == 3
    assert repo.verify().problems == []


def test_a_run_in_progress_goes_on(own, me):
    repo, line = DataRepo(own), f"u/{me}/2026dgt"
    workflow = repo.workflow("2026dgt", owner="worker")
    workflow.begin("Host match")
    workflow.finish("Host match")
    repo.personal.promote(f"{line}@0")
    assert repo.workflow("2026dgt", owner="worker").status() is not None
    assert repo.log("2026dgt")[0].stages == []
    assert repo.verify().problems == []


def test_it_is_born_into_a_run(own, me):
    repo = DataRepo(own)
    assert repo.personal.promote(f"u/{me}/2026dgt@0", run="trial-7").revision == 2
    assert repo.log("2026dgt")[0].revision.trailers["Run"] == "trial-7"


def test_a_failed_state_is_not_promoted_without_a_word(own, tries, record_own, me, capsys):
    repo, line = DataRepo(own), f"u/{me}/2026dgt"
    record_own(own, fail_stage(tries[0], "Global host SED inference"))
    failed = repo.log(line)[0].revision.number
    before = len(repo.log("2026dgt"))
    with pytest.raises(InvalidData, match=r"is not complete: Global host SED inference ended with 'failed'"):
        repo.personal.promote(f"{line}@{failed}")
    assert main(["-C", str(own), "promote", f"{line}@{failed}", "--dry-run"]) == InvalidData.exit_code
    assert "--even-invalid" in capsys.readouterr().err
    assert len(repo.log("2026dgt")) == before
    assert main(["-C", str(own), "promote", f"{line}@{failed}", "--even-invalid"]) == 0
    assert repo.log("2026dgt")[0].status == "failed: Global host SED inference"


def test_what_cannot_be_promoted(own, me):
    repo, line = DataRepo(own), f"u/{me}/2026dgt"
    with pytest.raises(InvalidInput, match="only those are promoted"):
        repo.personal.promote("2026dgt@0")
    with pytest.raises(NotFound, match="no revision 9"):
        repo.personal.promote(f"{line}@9")
    path = next(iter(repo.show(f"{line}@0").value["files"]))
    repo.withdraw(f"{line}@0:{path}", "a mistake")
    with pytest.raises(Withdrawn):
        repo.personal.promote(f"{line}@0")
    assert [each.revision for each in repo.list()] == [1]


def test_lost_contents_are_told_before_anything_is_published(own, me):
    repo, line = DataRepo(own), f"u/{me}/2026dgt"
    changed = next(file["path"] for file in repo.log(line)[-1].files)
    md5 = repo.show(f"{line}@0:{changed}").value["md5"]
    (own / "dvc/files/md5" / md5[:2] / md5[2:]).unlink()
    with pytest.raises(DamagedData, match="lacks the content"):
        repo.personal.promote(f"{line}@0")
    assert [each.revision for each in repo.list()] == [1]


def test_in_a_repo_elsewhere(own, tries, record_own, me, tmp_path, elsewhere):
    url = elsewhere(own)
    assert record_own(url, tries[2]).tag == f"u/{me}/2026dgt/2"
    assert DataRepo(own).verify().problems == []
    far = DataRepo(url)
    assert [(each.name, each.revision) for each in far.list("u/*")] == [(f"u/{me}/2026dgt", 2)]
    assert [each.name for each in far.list()] == ["2026dgt"]
    assert [str(entry.revision) for entry in far.log(f"u/{me}/2026dgt")][-1] == f"u/{me}/2026dgt@0"
    assert {str(each.revision) for each in far.blame(f"u/{me}/2026dgt", "host")} == {"2026dgt@0"}
    far.get(f"u/{me}/2026dgt@0", tmp_path / "got")
    assert far.personal.promote(f"u/{me}/2026dgt@2").revision == 2
    assert far.verify(f"u/{me}/2026dgt").revisions == 3
    assert DataRepo(own).verify().problems == []


def test_a_first_one_in_a_repo_elsewhere(shelf, tries, record_own, me, elsewhere):
    url = elsewhere(shelf)
    done = record_own(url, tries[0], fork="2026dgt@0")
    assert (done.tag, done.before) == (f"u/{me}/2026dgt/0", "2026dgt@0")
    assert DataRepo(shelf).verify().problems == []
    with pytest.raises(Denied, match="belongs to alice"):
        record_own(url, tries[0], user="alice")


def test_on_the_command_line(own, me, capsys):
    line = f"u/{me}/2026dgt"
    assert main(["-C", str(own), "promote", f"{line}@0", "--dry-run"]) == 0
    assert "would be recorded as revision 2" in capsys.readouterr().out
    assert main(["-C", str(own), "promote", f"{line}@0", "--json"]) == 0
    assert '"before": "2026dgt@1"' in capsys.readouterr().out


def test_a_tag_that_recovery_makes_anew_is_the_one_that_was_lost(repo, record, states, me, run, monkeypatch):
    record(repo, states[0])
    personal = DataRepo(repo).personal
    personal.record("2026dgt", *states[2].write(repo.parent / "own"), user=me)
    personal.promote(f"u/{me}/2026dgt@0")
    tags = {f"refs/tags/{name}": run("git", "-C", repo, "rev-parse", f"refs/tags/{name}").strip()
            for name in ("2026dgt/0", "2026dgt/1", f"u/{me}/2026dgt/0")}  # fmt: skip
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2027-01-01T00:00:00+00:00")
    monkeypatch.setenv("GIT_COMMITTER_NAME", "Who repairs")
    for ref in ("refs/tags/2026dgt/1", f"refs/tags/u/{me}/2026dgt/0"):
        run("git", "-C", repo, "update-ref", "-d", ref)
    repository = DataRepo(repo).session.repository
    for name in ("2026dgt", f"u/{me}/2026dgt"):
        with hold(repository.lock_path("2026dgt"), 10) as lock:
            roll_forward(repository, name, lock)
    assert {ref: run("git", "-C", repo, "rev-parse", ref).strip() for ref in tags} == tags
