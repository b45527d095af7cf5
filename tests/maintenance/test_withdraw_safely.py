"""Withdrawal removes only what it shall, with concurrent writers, and permanently."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import Sample, reprocess, small
from blastgit.errors import Denied, NotFound, RepoError, Withdrawn
from blastgit.plumbing import refs
from blastgit.plumbing.process import GitError, run_git
from blastgit.repository.init import init
from blastgit.store.local import LocalStore

pytestmark = pytest.mark.slow

DES_Z = "cutout_cdn/DES/DES_z.fits"
REASON = "Taken from another field by mistake"


def contents(store: Path) -> set[str]:
    return {each.md5 for each in LocalStore(store).contents()}


def md5_of(repo: Path, spec: str) -> str:
    return str(DataRepo(repo).show(spec).value["md5"])


def test_a_dry_run_says_what_would_be_done(history, tree_of, capsys):
    before = tree_of(history)
    done = DataRepo(history).withdraw(f"2026dgt@0:{DES_Z}", REASON, dry_run=True)
    assert (done.paths, len(done.set_aside), done.is_dry) == ([DES_Z], 1, True)
    assert main(["-C", str(history), "withdraw", f"2026dgt@0:{DES_Z}", "--reason", REASON, "--dry-run", "--now"]) == 0
    assert "1 content would be deleted from the store" in capsys.readouterr().out
    assert tree_of(history) == before


def test_it_goes_by_way_of_the_quarantine(history):
    md5 = md5_of(history, f"2026dgt@0:{DES_Z}")
    done = DataRepo(history).withdraw(f"2026dgt@0:{DES_Z}", REASON)
    assert (done.set_aside, done.removed) == ([md5], [])
    assert [item.md5 for item in LocalStore(history / "dvc").quarantined()] == [md5]
    assert DataRepo(history).gc(restore=True).restored == [], "what is withdrawn does not come back with the rest"
    now = DataRepo(history).withdraw(f"2026dgt@0:{DES_Z}", REASON, now=True)
    assert (now.removed, now.paths) == ([md5], []), "it is deleted from the quarantine, too"
    assert list(LocalStore(history / "dvc").quarantined()) == []


def test_a_mirror_clone_deletes_nothing(history, tmp_path, run, capsys):
    run("git", "clone", "--quiet", "--mirror", history, tmp_path / "copy")
    before = contents(history / "dvc")
    copy = ("-C", str(tmp_path / "copy"))
    assert main([*copy, "withdraw", f"2026dgt@0:{DES_Z}", "--reason", REASON, "--now"]) == 0
    said = capsys.readouterr().out
    assert f"1 content is still there, and nothing was deleted: the store {history}/dvc belongs to {history}" in said
    assert DataRepo(tmp_path / "copy").verify().withdrawn, "the tombstone is there"
    assert main([*copy, "gc", "--delete"]) == 11
    assert "do it there" in capsys.readouterr().err
    assert contents(history / "dvc") == before
    assert DataRepo(history).verify().problems == []


def test_a_copy_deletes_nothing_of_the_original(history, tmp_path):
    shutil.copytree(history, tmp_path / "copy")
    before = contents(history / "dvc")
    assert DataRepo(tmp_path / "copy").withdraw(f"2026dgt@0:{DES_Z}", REASON, now=True).staying
    assert contents(history / "dvc") == before


def test_the_first_to_write_to_a_store_owns_it_and_others_are_heard(tmp_path, sample, record, capsys):
    store, first, second = tmp_path / "store", tmp_path / "first", tmp_path / "second"
    for repo in (first, second):
        init(repo, store=str(store), simulated=True)
        record(repo, sample)
    assert DataRepo(second).withdraw(f"2026dgt@0:{DES_Z}", REASON, now=True).staying == [
        f"1 content is still there, and nothing was deleted: the store {store} belongs to {first}: do it there"
    ]
    done = DataRepo(first).withdraw("2026dgt@0", REASON, now=True)
    assert len(done.removed) == 1, "what the other one needs stays"
    assert DataRepo(second).verify().problems == []
    assert main(["-C", str(first), "store"]) == 0
    assert f"{second} (relies on it" in capsys.readouterr().out
    shutil.rmtree(second)
    gone = DataRepo(first).withdraw("2026dgt@0", REASON, now=True)
    assert "cannot be read here" in gone.staying[0]
    with pytest.raises(RepoError, match="blastgit store forget"):
        DataRepo(first).gc(delete=True)
    (name,) = [each.stem for each in (store / "repos").iterdir() if str(second) in each.read_text()]
    assert main(["-C", str(first), "store", "forget", name]) == 0
    assert len(DataRepo(first).withdraw("2026dgt@0", REASON, now=True).removed) > 5


def test_a_store_that_nobody_owns(tmp_path, sample, record, capsys):
    """One from before there were owners."""
    store, repo = tmp_path / "store", tmp_path / "repo"
    init(repo, store=str(store), simulated=True)
    record(repo, sample)
    shutil.rmtree(store / "repos")
    (repo / "blastgit/store-id").unlink()
    (staying,) = DataRepo(repo).withdraw(f"2026dgt@0:{DES_Z}", REASON).staying
    assert "blastgit store own" in staying
    with pytest.raises(Denied, match="blastgit store own"):
        DataRepo(repo).gc(delete=True)
    assert main(["-C", str(repo), "store", "own"]) == 0
    assert len(DataRepo(repo).withdraw(f"2026dgt@0:{DES_Z}", REASON).set_aside) == 1


def test_a_repo_that_moved_still_owns_its_store(tmp_path, sample, record):
    store, repo = tmp_path / "store", tmp_path / "repo"
    init(repo, store=str(store), simulated=True)
    record(repo, sample)
    repo.rename(tmp_path / "moved")
    assert DataRepo(tmp_path / "moved").withdraw(f"2026dgt@0:{DES_Z}", REASON).staying == []


def test_who_is_not_known_cannot_be_forgotten(history):
    with pytest.raises(NotFound, match="knows a repo"):
        DataRepo(history).stores.forget("0" * 32)


@pytest.fixture
def twin(sample: Sample, tmp_path: Path) -> tuple[Path, Path]:
    """Another transient one of whose images is, byte for byte, that of 2026dgt."""
    export, data = small("2026dix").write(tmp_path / "twin")
    (data / "cutout_cdn/2026dix/DES/DES_z.fits").write_bytes(sample.files["cutout_cdn/2026dgt/DES/DES_z.fits"])
    return export, data


def test_a_writer_of_the_same_content_is_waited_for(repo, sample, record, twin, monkeypatch):
    """The withdrawal comes, in another process, when the writer has brought its contents and is about to publish."""
    record(repo, sample)
    real, others = refs.sync_file_systems, list[subprocess.Popen[bytes]]()

    def sync(folders: Iterable[Path]) -> None:
        real(folders)
        monkeypatch.setattr(refs, "sync_file_systems", real)
        words = ["withdraw", f"2026dgt@0:{DES_Z}", "--reason", REASON, "--now"]
        others.append(subprocess.Popen([sys.executable, "-m", "blastgit", "-C", repo, *words]))
        with pytest.raises(subprocess.TimeoutExpired):
            others[0].wait(3)

    monkeypatch.setattr(refs, "sync_file_systems", sync)
    assert DataRepo(repo).record("2026dix", *twin).revision == 0
    assert others[0].wait(60) == 0
    assert DataRepo(repo).verify().problems == [], "what the other one published has its content"


def test_the_same_bytes_do_not_come_back(history, states, record):
    DataRepo(history).withdraw(f"2026dgt@1:{DES_Z}", REASON)
    again = reprocess(states[2], app_version="v1.14", export_time="2026-06-09T09:00:00+00:00", seed=4)
    assert record(history, again).status == "unchanged"
    changed = reprocess(again, app_version="v1.15", export_time="2026-06-19T09:00:00+00:00", seed=5)
    changed.export["transient"]["fields"]["redshift"] = 0.5
    with pytest.raises(Withdrawn, match=rf"{DES_Z} has the same bytes .* withdrawn .*{REASON}.*nothing was recorded"):
        record(history, changed)
    assert DataRepo(history).verify().problems == []
    done = record(history, changed, even_withdrawn=True)
    assert done.revision == 2
    assert "published again: " in DataRepo(history).session.history.tip("2026dgt").message
    assert DataRepo(history).verify().problems == []
    assert DataRepo(history).verify().withdrawn, "under its old name it stays withdrawn"


def test_nor_under_another_name(repo, sample, record, twin):
    record(repo, sample)
    DataRepo(repo).withdraw(f"2026dgt@0:{DES_Z}", REASON)
    with pytest.raises(Withdrawn, match="has the same bytes"):
        DataRepo(repo).record("2026dix", *twin)
    assert DataRepo(repo).list().to_json()[-1]["transient"] == "2026dgt"


def test_what_another_one_has_published_may_be_published_on(repo, sample, record, twin):
    record(repo, sample)
    DataRepo(repo).record("2026dix", *twin)
    assert DataRepo(repo).withdraw(f"2026dgt@0:{DES_Z}", REASON).kept == [DES_Z]
    export, data = small("2026diy").write(twin[1].parent / "third")
    image = (twin[1] / "cutout_cdn/2026dix/DES/DES_z.fits").read_bytes()
    (data / "cutout_cdn/2026diy/DES/DES_z.fits").write_bytes(image)
    assert DataRepo(repo).record("2026diy", export, data).revision == 0


def test_what_is_there_under_a_withdrawn_name_is_not_handed_out(repo, sample, record, twin, tmp_path):
    record(repo, sample)
    DataRepo(repo).record("2026dix", *twin)
    DataRepo(repo).withdraw(f"2026dgt@0:{DES_Z}", REASON)
    opened = DataRepo(repo)
    for call in (
        lambda: opened.get("2026dgt@0", tmp_path / "out", only="*/DES_z.fits"),
        lambda: opened.export("2026dgt@0", tmp_path / "out.tar.gz"),
        lambda: opened.get("2026dgt@0", tmp_path / "whole"),
    ):
        with pytest.raises(Withdrawn):
            call()
    assert not (tmp_path / "whole" / DES_Z).exists()
    opened.subset(tmp_path / "part", ["2026dgt@0"])
    assert DataRepo(tmp_path / "part").verify().withdrawn
    assert opened.get("2026dix@0", tmp_path / "dix").written


def test_a_push_does_not_bring_them_back(history, states, record, tmp_path, run):
    shutil.copytree(history, tmp_path / "away")
    changed = reprocess(states[2], app_version="v1.15", export_time="2026-06-19T09:00:00+00:00", seed=5)
    changed.export["transient"]["fields"]["redshift"] = 0.5
    record(tmp_path / "away", changed)
    DataRepo(history).withdraw(f"2026dgt@1:{DES_Z}", REASON)
    with pytest.raises(GitError, match="has the same bytes"):
        run_git(tmp_path / "away", "push", "--atomic", f"file://{history}", "2026dgt", "2026dgt/2")


def test_nor_does_taking_in(history, tmp_path, states, record):
    shutil.copytree(history, tmp_path / "away")
    changed = reprocess(states[2], app_version="v1.15", export_time="2026-06-19T09:00:00+00:00", seed=5)
    changed.export["transient"]["fields"]["redshift"] = 0.5
    record(tmp_path / "away", changed)
    DataRepo(history).withdraw(f"2026dgt@1:{DES_Z}", REASON)
    with pytest.raises(Withdrawn, match="nothing was taken in"):
        DataRepo(history).take_in(tmp_path / "away")


@pytest.mark.parametrize("damage", ["garbage", "missing", "tree"])
def test_damage_of_one_transient_stops_no_other(repo, sample, record, run, loose, capsys, damage):
    record(repo, sample)
    record(repo, small("2026dix"))
    if damage == "tree":
        loose(repo, "2026dix/0^{tree}").unlink()
    else:
        run("git", "-C", repo, "pack-refs", "--all")
        (repo / "refs/heads/2026dix").write_text("1" * 40 + "\n" if damage == "missing" else "garbage\n")
    call: Callable[..., int] = lambda *words: main(["-C", str(repo), *words])  # noqa: E731
    assert call("verify", "--fast") == 9
    assert "2026dix" in capsys.readouterr().out
    for words in (["gc"], ["gc", "--delete"], ["withdraw", f"2026dgt@0:{DES_Z}", "--reason", REASON]):
        assert call(*words) == 9, words
        out = capsys.readouterr()
        assert "2026dix" in out.err or damage == "tree"
    assert call("maintain") in (0, 9)
    assert (
        record(repo, reprocess(sample, app_version="v1.14", export_time="2026-06-09T09:00:00+00:00", seed=4)).status
        == "unchanged"
    )
    assert call("list") in (0, 9)
    assert "2026dgt" in capsys.readouterr().out


def test_damage_of_one_transient_keeps_no_other_from_coming(repo, sample, record, run, tmp_path):
    record(repo, sample)
    init(tmp_path / "other", simulated=True)
    record(tmp_path / "other", small("2026dix"))
    run("git", "-C", repo, "pack-refs", "--all")
    (repo / "refs/heads/2026dgt").write_text("1" * 40 + "\n")
    assert DataRepo(repo).take_in(tmp_path / "other").revisions == ["2026dix@0"]
