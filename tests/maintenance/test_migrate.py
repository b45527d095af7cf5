"""A new data repo from an old one: complete, usable with plain tools, and independent of it."""

import shutil
import signal
import subprocess
import sys

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import small
from blastgit.errors import DamagedData, Denied, RepoError, StoreError, UsageError
from tests.datasets.test_storage import settle
from tests.store.test_clone import pulls

pytestmark = pytest.mark.slow

NEARBY = "nearby"


@pytest.fixture
def old(history, record):
    """Two transients, a collection, a release, a remark, a checkpoint."""
    record(history, small("2026abc", seed=5))
    for words in (
        ["collection", "create", NEARBY, "--type", "TAGGED", "-m", "Begin"],
        ["collection", "add", NEARBY, "2026dgt@1", "2026abc@0", "-m", "Choose"],
        ["collection", "freeze", NEARBY, "1"],
        ["annotate", "2026dgt@0", "-m", "a satellite trail"],
        ["checkpoint"],
    ):
        assert main(["-C", str(history), *words]) == 0
    return history


def notes_of(repo):
    return [str(each.event.id) for each in DataRepo(repo).annotations.about("2026dgt@0").notes]


def refs(repo, run):
    listed = run("git", "-C", repo, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return [line for line in listed if not line.startswith("refs/heads/main ")]


def held(store):
    return {path.parent.name + path.name: path for path in (store / "files/md5").glob("*/*")}


def test_all_of_it_comes_and_plain_tools_read_both(old, states, tmp_path, run, tree_of):
    files = {path.rpartition("/")[2] for path in states[2].files}
    before = tree_of(old)
    since = DataRepo(old).checkpoint().commit
    made = DataRepo(old).migrate(tmp_path / "new")
    assert tree_of(old) == before
    assert [each.mode for each in made.stores] == ["hardlink"]
    assert refs(tmp_path / "new", run) == refs(old, run)
    new = DataRepo(tmp_path / "new")
    assert new.store_url == str(tmp_path / "new/dvc")
    report = new.verify(since=since)
    assert (report.problems, report.settings, report.advice) == ([], {}, DataRepo(old).verify().advice)
    assert {path.stat().st_ino for path in held(old / "dvc").values()} == {
        path.stat().st_ino for path in held(tmp_path / "new/dvc").values()
    }
    assert [str(each) for each in new.collections.members(NEARBY)] == [
        str(each) for each in DataRepo(old).collections.members(NEARBY)
    ]
    assert new.verify("2026dgt").problems == []
    assert not (tmp_path / "new/.unfinished").exists()
    run("git", "-C", tmp_path / "new", "fsck", "--strict")
    for repo in (old, tmp_path / "new"):
        clone = tmp_path / f"clone-of-{repo.name}"
        run("git", "clone", "--quiet", "--branch", "2026dgt/1", "--single-branch", repo, clone)
        assert pulls(run, clone) == files
    shutil.rmtree(old)
    clone = tmp_path / "late"
    run("git", "clone", "--quiet", "--branch", "2026dgt/0", "--single-branch", tmp_path / "new", clone)
    assert main(["setup", str(clone)]) == 0
    assert pulls(run, clone) == files


def test_ids_stay_and_work_goes_on(old, states, record, tmp_path, run):
    ids = notes_of(old)
    DataRepo(old).migrate(tmp_path / "new")
    new = DataRepo(tmp_path / "new")
    assert notes_of(tmp_path / "new") == ids
    assert new.session.repository.settings.read("identity", str) is not None
    assert record(tmp_path / "new", states[0]).revision == 2
    assert new.verify().problems == []
    DataRepo(tmp_path / "new").migrate(tmp_path / "newer")
    assert DataRepo(tmp_path / "newer").verify().problems == []
    assert str(tmp_path / "new/hooks") in run("git", "-C", tmp_path / "new", "config", "core.hooksPath")


@pytest.mark.parametrize("mode", ["hardlink", "copy", "reference"])
def test_what_one_deletes_the_other_keeps(old, tmp_path, mode):
    DataRepo(old).migrate(tmp_path / "new", mode=mode)
    DataRepo(old).withdraw("2026dgt@1", "a test", now=True)
    DataRepo(old).gc(delete=True)
    new = DataRepo(tmp_path / "new")
    assert new.verify().problems == []
    new.get("2026dgt@1", tmp_path / "got")
    new.withdraw("2026abc@0", "a test", now=True)
    if mode == "reference":
        with pytest.raises(Denied, match="belongs to"):
            new.gc(delete=True)
    else:
        new.gc(delete=True)
    assert DataRepo(old).verify().problems == []
    DataRepo(old).get("2026abc@0", tmp_path / "got-too")


def test_on_another_disk_contents_stay_where_they_are_or_are_copied(old, tmp_path, other_disk):
    made = DataRepo(old).migrate(other_disk / "new")
    assert [(each.mode, each.url) for each in made.stores] == [("reference", str(old / "dvc"))]
    assert DataRepo(other_disk / "new").verify().problems == []
    assert [each.where for each in DataRepo(old).stores.users()] == [str(other_disk / "new")]
    with pytest.raises(StoreError, match="--mode copy"):
        DataRepo(old).migrate(other_disk / "linked", mode="hardlink")
    assert not (other_disk / "linked").exists()
    DataRepo(old).migrate(other_disk / "copied", mode="copy")
    shutil.rmtree(other_disk / "new")
    shutil.move(old, tmp_path / "away")
    assert DataRepo(other_disk / "copied").verify().problems == []


def test_several_stores_and_a_store_of_ones_own(repo, sample, record, tmp_path):
    DataRepo(repo).stores.add("archive", str(tmp_path / "archive"))
    settle(repo, "storage:\n  posterior: {store: archive}\n")
    record(repo, sample)
    DataRepo(repo).migrate(tmp_path / "new", store=str(tmp_path / "store"))
    new = DataRepo(tmp_path / "new")
    assert (new.store_url, new.stores.urls) == (
        str(tmp_path / "store"),
        {"archive": str(tmp_path / "store/stores/archive")},
    )
    assert held(tmp_path / "store/stores/archive").keys() == held(tmp_path / "archive").keys()
    DataRepo(repo).migrate(tmp_path / "linked")
    shutil.rmtree(repo)
    shutil.rmtree(tmp_path / "archive")
    for each in ("new", "linked"):
        assert DataRepo(tmp_path / each).verify().problems == []
        assert record(tmp_path / each, sample).status == "unchanged"
    assert [each.owner for each in new.stores.users()] == [True, True]


@pytest.mark.parametrize("place", ["repo/new", "repo/dvc/new", "taken", "file", "file/new"])
def test_places_that_will_not_do(history, tmp_path, place, tree_of):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/x").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = tree_of(history)
    for dry_run in (True, False):
        with pytest.raises(RepoError):
            DataRepo(history).migrate(tmp_path / place, dry_run=dry_run)
    assert tree_of(history) == before
    assert (tmp_path / "taken/x").read_text() == "mine"


def test_a_dry_run_tells_and_makes_nothing(old, tmp_path, capsys):
    assert main(["-C", str(old), "migrate", str(tmp_path / "new"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "would have" in said
    assert f"hard-linked, in {tmp_path}/new/dvc" in said
    assert not (tmp_path / "new").exists()
    assert main(["-C", str(old), "migrate", str(tmp_path / "new"), "--json"]) == 0
    assert '"mode": "hardlink"' in capsys.readouterr().out
    assert main(["-C", str(old), "migrate", str(tmp_path / "new")]) == 6


def test_what_is_damaged_does_not_come_along(old, tmp_path):
    next(iter(held(old / "dvc").values())).unlink()
    with pytest.raises(DamagedData, match="verify --repair"):
        DataRepo(old).migrate(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    with pytest.raises(UsageError):
        DataRepo(old).migrate(tmp_path / "new", mode="move")
    with pytest.raises(UsageError):
        DataRepo(old).migrate(tmp_path / "new", mode="hardlink", store=str(tmp_path / "store"))


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["git clone", "linking", "commit", "rename"])
def test_a_migration_that_was_killed_leaves_nothing_and_can_be_repeated(old, tmp_path, moment):
    stops = {
        "git clone": "blastgit.maintenance.migrate.LocalRepository",
        "linking": "blastgit.maintenance.migrate.carry",
        "commit": "blastgit.maintenance.migrate.commit_to_branch",
        "rename": "blastgit.plumbing.building.sync_file_systems",
    }
    module, _, name = stops[moment].rpartition(".")
    script = (
        f"import os, signal, {module} as place\n"
        f"place.{name} = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"from blastgit import DataRepo\nDataRepo({str(old)!r}).migrate({str(tmp_path / 'new')!r})\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(RepoError):
        DataRepo(tmp_path / "new")
    assert DataRepo(old).verify().problems == []
    DataRepo(old).migrate(tmp_path / "new")
    assert DataRepo(tmp_path / "new").verify().problems == []
