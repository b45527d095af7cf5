"""Plain DVC in a clone, configured by `setup`: after a move, in a subset, with several stores."""

import shutil

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.errors import RepoError
from blastgit.reading.clone import point_to_store
from blastgit.store.clone import local_config
from blastgit.store.config import Remote, with_remote
from tests.datasets.test_storage import settle

BASE = b"[core]\n    remote = store\n"
RULES = "storage:\n  posterior: {store: archive}\n"


@pytest.fixture
def clone(run):
    def make(repo, tag, folder):
        run("git", "clone", "--quiet", "--branch", tag, "--single-branch", repo, folder)
        return folder

    return make


def names(folder):
    return {path.name.removesuffix(".dvc") for path in folder.rglob("*.dvc") if path.with_suffix("").is_file()}


def pulls(run, folder):
    run("dvc", "pull", "--quiet", cwd=folder)
    assert run("git", "-C", folder, "status", "--porcelain") == ""
    return names(folder)


def test_a_clone_from_before_a_move_pulls_from_the_new_place(repo, sample, record, tmp_path, run, clone, capsys):
    record(repo, sample)
    old = clone(repo, "2026dgt/0", tmp_path / "old")
    shutil.move(repo / "dvc", tmp_path / "moved")
    DataRepo(repo).stores.move(str(tmp_path / "moved"))
    assert main(["setup", str(old)]) == 0
    assert f"dvc pull here reads from {tmp_path / 'moved'}" in capsys.readouterr().out
    assert pulls(run, old) == {path.rpartition("/")[2] for path in sample.files}


def test_a_subset_with_stores_for_some_kinds_stands_on_its_own(repo, sample, record, tmp_path, run, clone):
    DataRepo(repo).stores.add("archive", str(tmp_path / "archive"))
    settle(repo, RULES)
    record(repo, sample)
    DataRepo(repo).subset(tmp_path / "part", ["2026dgt@0"])
    shutil.move(repo, tmp_path / "away")
    shutil.move(tmp_path / "archive", tmp_path / "away-too")
    part = DataRepo(tmp_path / "part")
    assert part.stores.urls == {"archive": f"{tmp_path}/part/dvc/stores/archive"}
    assert part.verify().problems == []
    folder = clone(tmp_path / "part", "2026dgt/0", tmp_path / "clone")
    assert main(["setup", str(folder)]) == 0
    assert "2026dgt_global.h5" in pulls(run, folder)
    assert record(tmp_path / "part", sample).status == "unchanged"


def test_another_repo_can_be_named_and_settings_of_ones_own_stay(history, tmp_path, run, clone):
    folder = clone(history, "2026dgt/0", tmp_path / "clone")
    (folder / ".dvc/config.local").write_text("[core]\n    jobs = 1\n['remote \"store\"']\n    jobs = 2\n")
    DataRepo(history).subset(tmp_path / "part", ["2026dgt@0"])
    history.rename(tmp_path / "away")
    assert main(["setup", str(folder)]) == 0, "git's settings hold even if nobody can say where contents are"
    assert main(["-C", str(tmp_path / "nothing"), "setup", str(folder)]) == 6
    assert main(["-C", str(tmp_path / "part"), "setup", str(folder)]) == 0
    text = (folder / ".dvc/config.local").read_text()
    assert f"url = {tmp_path}/part/dvc" in text
    assert text.count("jobs") == 2


def test_a_clone_without_files_is_told_so(history, tmp_path, run):
    run("git", "clone", "--quiet", "--mirror", history, tmp_path / "mirror")
    with pytest.raises(RepoError, match="without files"):
        point_to_store(tmp_path / "mirror")


def test_an_old_option_that_is_in_the_way_is_got_round():
    old = with_remote(BASE, Remote("store", "s3://bucket/x", {"endpointurl": "http://here"}))
    new = with_remote(BASE, Remote("store", "/srv/store"))
    made = local_config(new, old)
    assert made.text.decode() == "[core]\nremote = store-now\n['remote \"store-now\"']\nurl = /srv/store\n"
    back = local_config(old, old, made.text)
    assert b"store-now" not in back.text
    assert b"endpointurl = http://here" in back.text
    more = with_remote(old, Remote("archive", "s3://bucket/y", {"endpointurl": "http://here"}))
    moved = with_remote(new, Remote("archive", "/srv/archive"))
    assert local_config(moved, more).unreachable == ("archive",)
