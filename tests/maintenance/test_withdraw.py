import json
from collections.abc import Callable
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import refit, reprocess
from blastgit.errors import InvalidInput, NotFound, UsageError, Withdrawn
from blastgit.plumbing.process import GitError, run_git
from blastgit.repository.tombstones import Withdrawals
from blastgit.store.local import LocalStore

DES_Z = "cutout_cdn/DES/DES_z.fits"
DES_G = "cutout_cdn/DES/DES_g.fits"
ASIDE = "  1 content set aside: `blastgit gc --delete` deletes them in time\n"
REASON = "Taken from another field by mistake"


@pytest.fixture
def taken(history: Path) -> Path:
    """A data repo of which revision 0 has lost an image that no other revision has."""
    DataRepo(history).withdraw(f"2026dgt@0:{DES_Z}", REASON)
    return history


def has(repo: Path, spec: str) -> bool:
    return not LocalStore(repo / "dvc").missing([DataRepo(repo).show(spec).value["md5"]])


def test_content_goes_and_everything_else_stays(history, run):
    before = run("git", "-C", history, "for-each-ref", "refs/tags", "refs/heads/2026dgt")
    done = DataRepo(history).withdraw(f"2026dgt@0:{DES_Z}", REASON, now=True)
    assert (done.revision, done.paths, done.kept) == ("2026dgt@0", [DES_Z], [])
    assert len(done.removed) == 1
    assert not has(history, f"2026dgt@0:{DES_Z}")
    assert list(LocalStore(history / "dvc").quarantined()) == [], "deleted, not set aside"
    assert run("git", "-C", history, "for-each-ref", "refs/tags", "refs/heads/2026dgt") == before
    assert DataRepo(history).show("2026dgt@0").value["files"][DES_Z].startswith("sha256:")
    run("git", "-C", history, "fsck", "--strict")


def test_the_tombstone(taken, run):
    text = run("git", "-C", taken, "show", "main:withdrawn/2026dgt/0.yaml")
    facts = DataRepo(taken).show(f"2026dgt@0:{DES_Z}").value
    for words in (DES_Z, facts["md5"], facts["sha256"], REASON, "2026-07-01T12:00:00Z", "committer@example.org"):
        assert words in text
    said = run("git", "-C", taken, "log", "-1", "--format=%an%n%B", "main")
    assert said.splitlines()[:4] == ["Committer", f"Withdraw 2026dgt@0: {REASON}", "", DES_Z]


def test_it_shows_everywhere_and_never_as_missing(taken, tmp_path, capsys):
    repo, words = DataRepo(taken), f"withdrawn on 2026-07-01 by Committer <committer@example.org>: {REASON}"
    assert repo.show(f"2026dgt@0:{DES_Z}").value["withdrawn"] == words
    assert repo.show("2026dgt@0:cutout_cdn/DES").value[DES_Z]["withdrawn"] == words
    assert repo.log("2026dgt")[1].withdrawn == {DES_Z: words}
    report = repo.verify()
    assert (report.problems, report.withdrawn) == ([], {f"2026dgt@0:{DES_Z}": words})
    (changed,) = [file for file in repo.diff("2026dgt@0", "2026dgt@1").files if file.change.path == DES_Z]
    assert changed.problem is not None
    assert words in changed.problem
    assert [each.withdrawn for each in repo.list()] == [0], "the latest revision has all its files"
    assert main(["-C", str(taken), "get", "2026dgt@0", str(tmp_path / "out"), "--json"]) == 12
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "withdrawn"
    for verb in (["log", "2026dgt"], ["verify"], ["show", f"2026dgt@0:{DES_Z}"]):
        assert main(["-C", str(taken), *verb]) == 0
        assert words in capsys.readouterr().out


def test_get_counts_one_other_file_as_one(taken, tmp_path):
    with pytest.raises(Withdrawn, match=r"; 1 other file is in "):
        DataRepo(taken).get("2026dgt@0", tmp_path / "out", only="*/DES_[gz].fits")


def test_get_brings_the_other_files(taken, tmp_path):
    with pytest.raises(Withdrawn, match=rf"{REASON}; 15 other files are in "):
        DataRepo(taken).get("2026dgt@0", tmp_path / "out")
    assert (tmp_path / "out" / DES_G).is_file()
    assert not (tmp_path / "out" / DES_Z).exists()
    assert DataRepo(taken).get("2026dgt@0", tmp_path / "out", only="*/DES_g.fits").kept == [DES_G]
    with pytest.raises(Withdrawn):
        DataRepo(taken).get("2026dgt@0", tmp_path / "other", only="*/DES_z.fits")
    with pytest.raises(Withdrawn):
        DataRepo(f"file://localhost{taken}").get("2026dgt@0", tmp_path / "third")
    assert DataRepo(taken).get("2026dgt@1", tmp_path / "whole").written


def test_a_content_that_another_file_has_stays_for_that_one(history):
    done = DataRepo(history).withdraw(f"2026dgt@0:{DES_G}", REASON)
    assert (done.removed, done.kept) == ([], [DES_G])
    assert has(history, f"2026dgt@1:{DES_G}")
    last = DataRepo(history).withdraw(f"2026dgt@1:{DES_G}", REASON)
    assert (len(last.set_aside), last.kept) == (1, []), "the reproduction of revision 0 is no use of its own"
    assert DataRepo(history).verify().problems == []


def test_a_personal_line_is_a_use_of_its_own(history, run):
    run("git", "-C", history, "update-ref", "refs/heads/u/bob/2026dgt", "2026dgt/0^{commit}")
    assert DataRepo(history).withdraw(f"2026dgt@0:{DES_Z}", REASON).set_aside, "it is the revision itself"
    tree = run("git", "-C", history, "rev-parse", "2026dgt/1^{tree}").strip()
    message = "2026dgt revision 0: mine\n\nRevision: 0\nMarker: revision\n"
    commit = run("git", "-C", history, "commit-tree", "-p", "2026dgt/0^{commit}", tree, stdin=message).strip()
    run("git", "-C", history, "update-ref", "refs/heads/u/bob/2026dgt", commit)
    assert DataRepo(history).withdraw(f"2026dgt@1:{DES_Z}", REASON).kept == [DES_Z]


def test_a_whole_revision_and_a_folder(history):
    assert len(DataRepo(history).withdraw("2026dgt@1:sed_output/", "Licence").paths) == 10
    rest = DataRepo(history).withdraw("2026dgt@1", "Licence, too")
    assert len(rest.paths) == 5, "what was withdrawn before keeps its tombstone"
    reasons = {stone.reason for stone in Withdrawals(DataRepo(history).session.repository).of("2026dgt", 1).values()}
    assert reasons == {"Licence", "Licence, too"}
    assert DataRepo(history).verify().problems == []
    assert DataRepo(history).list()[0].withdrawn == 15


def test_once_more_makes_no_commit(taken, run):
    before = run("git", "-C", taken, "rev-parse", "main")
    again = DataRepo(taken).withdraw(f"2026dgt@0:{DES_Z}", "Something else")
    assert (again.paths, again.removed, again.commit) == ([], [], before.strip())
    assert run("git", "-C", taken, "rev-parse", "main") == before


def test_after_a_crash_between_tombstone_and_store_gc_has_the_content(history, monkeypatch):
    monkeypatch.setattr(LocalStore, "set_aside", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        DataRepo(history).withdraw(f"2026dgt@0:{DES_Z}", REASON)
    monkeypatch.undo()
    assert DataRepo(history).verify().withdrawn
    assert DataRepo(history).withdraw(f"2026dgt@0:{DES_Z}", REASON).set_aside


@pytest.mark.parametrize(
    ("spec", "reason", "error"),
    [
        ("2026dgt", REASON, UsageError), ("2026dgt@2026-05-28", REASON, UsageError), ("2026dgt@0", " ", InvalidInput),
        ("2026dgt@0", "two\nlines", InvalidInput), ("2026dgt@7", REASON, NotFound),
        ("2026dgt@0:cutout_cdn/DES/DES_zz.fits", REASON, NotFound), ("2026zzz@0", REASON, NotFound),
    ],
)  # fmt: skip
def test_what_is_not_withdrawn(history, tree_of, spec, reason, error):
    before = tree_of(history)
    with pytest.raises(error):
        DataRepo(history).withdraw(spec, reason)
    assert tree_of(history) == before


def test_recording_goes_on(taken, record, states):
    again = reprocess(states[2], app_version="v1.14", export_time="2026-06-09T09:00:00+00:00", seed=4)
    assert record(taken, again).status == "unchanged"
    assert record(taken, refit(again, seed=8)).revision == 2
    DataRepo(taken).withdraw("2026dgt@2:sed_output/2026dgt_global.h5", "Fit of the wrong model")
    assert record(taken, refit(again, seed=9)).revision == 3
    report = DataRepo(taken).verify()
    assert report.problems == []
    assert {where.partition(":")[0] for where in report.withdrawn} == {"2026dgt@0", "2026dgt@2"}


def test_plain_git_and_dvc(taken, tmp_path, run):
    run("git", "clone", "--quiet", "--branch", "2026dgt/1", "--single-branch", taken, tmp_path / "new")
    run("dvc", "pull", "--quiet", cwd=tmp_path / "new")
    run("git", "clone", "--quiet", "--branch", "2026dgt/0", "--single-branch", taken, tmp_path / "old")
    with pytest.raises(AssertionError, match="failed to pull data"):
        run("dvc", "pull", cwd=tmp_path / "old")
    assert not (tmp_path / "old" / DES_Z).exists()
    assert (tmp_path / "old" / DES_G).is_file()


def pushed(repo: Path, tmp_path: Path, run: Callable[..., str], change: Callable[[Path], None]) -> str:
    """Change main in a clone and push it; what git says if it is denied."""
    clone = tmp_path / "main"
    run("git", "clone", "--quiet", "--branch", "main", repo, clone)
    change(clone)
    run("git", "add", "-A", cwd=clone)
    run("git", "commit", "--quiet", "-m", "change", cwd=clone)
    try:
        run_git(None, "-C", str(clone), "push", "--quiet", "origin", "main")
    except GitError as error:
        return str(error)
    return ""


def test_main_can_be_pushed_as_before(taken, tmp_path, run):
    assert pushed(taken, tmp_path, run, lambda clone: (clone / "README.md").write_text("Hello\n") and None) == ""


def test_a_tombstone_that_makes_no_sense_is_denied(taken, tmp_path, run):
    def change(clone: Path) -> None:
        (clone / "withdrawn/2026dgt/0.yaml").write_text("withdrawn: everything\n")

    assert "is not a list of withdrawn files" in pushed(taken, tmp_path, run, change)


def test_an_admin_can_take_a_withdrawal_back(taken, tmp_path, run):
    def change(clone: Path) -> None:
        (clone / "withdrawn/2026dgt/0.yaml").unlink()

    assert pushed(taken, tmp_path, run, change) == ""
    assert [problem.kind for problem in DataRepo(taken).verify().problems] == ["missing"]


def test_the_command_line(history, capsys):
    repo = ("-C", str(history), "withdraw")
    assert main([*repo, f"2026dgt@0:{DES_Z}", "--reason", REASON]) == 0
    assert capsys.readouterr().out == f"2026dgt@0: 1 file withdrawn: {REASON}\n{ASIDE}"
    assert main([*repo, "2026dgt@0", "--reason", REASON, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {
        "revision", "reason", "commit", "paths", "removed", "set_aside", "kept", "in_git", "staying",
        "dry_run", "damaged",
    }  # fmt: skip
    assert main([*repo, "2026dgt@0"]) == 2
