"""Importing trees without a copy: by hard links, or in place; and what happens if a file is rewritten."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import refit, small
from blastgit.errors import DamagedData, StoreError, UsageError
from tests.exchange.trees import write_tree
from tests.maintenance.test_migrate import held
from tests.store.test_clone import pulls

pytestmark = pytest.mark.slow

NAMES = ["2026aa", "2026ab"]
IMAGE = "cutout_cdn/2026aa/DES/DES_z.fits"


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "data"
    (folder / "exports").mkdir(parents=True)
    for seed, name in enumerate(NAMES):
        export, data = small(name, seed=seed).write(tmp_path / name)
        shutil.copytree(data, folder, dirs_exist_ok=True)
        export.rename(folder / "exports" / f"{name}.json")
    for file in files_of(folder):
        file.chmod(0o444)
    return folder


def files_of(tree):
    return [path for root in ("cutout_cdn", "sed_output") for path in (tree / root).rglob("*") if path.is_file()]


def inodes(files):
    return {file.stat().st_ino for file in files}


def clone_of(repo, tag, folder, run):
    run("git", "clone", "--quiet", "--branch", tag, "--single-branch", repo, folder)
    return folder


def links(repo):
    return repo / "inplace/inplace"


def rewrite(file, data=b"something else"):
    file.chmod(0o644)
    file.write_bytes(data)


def test_in_place_no_byte_moves_and_plain_dvc_pulls_from_the_tree(repo, tree, tmp_path, run, capsys):
    stock = {file: (file.read_bytes(), file.stat()) for file in files_of(tree)}
    assert main(["-C", str(repo), "import", str(tree), "--mode", "inplace"]) == 0
    said = capsys.readouterr()
    assert "in place" in said.out
    assert f"{links(repo)} has a link to each" in said.out
    assert said.err == ""
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in stock} == {
        file: (data, found.st_mtime_ns) for file, (data, found) in stock.items()
    }
    assert held(repo / "dvc") == {}
    assert all(path.is_symlink() for path in held(links(repo)).values())
    assert inodes(held(links(repo)).values()) < inodes(stock), "of equal files one serves all"
    data = DataRepo(repo)
    assert data.stores.urls == {"inplace": str(links(repo))}
    assert data.verify().problems == []
    assert data.verify(fast=True).problems == []
    data.get("2026aa@0", tmp_path / "got")
    assert (tmp_path / "got/cutout_cdn/DES/DES_z.fits").read_bytes() == (tree / IMAGE).read_bytes()
    clone = clone_of(repo, "2026aa/0", tmp_path / "clone", run)
    assert pulls(run, clone) == {file.name for file in files_of(tree) if "2026aa" in str(file)}
    assert (clone / "cutout_cdn/DES/DES_z.fits").read_bytes() == (tree / IMAGE).read_bytes()
    assert not (clone / "cutout_cdn/DES/DES_z.fits").is_symlink()
    assert main(["-C", str(repo), "import", str(tree), "--mode", "inplace"]) == 0
    assert "2 were here already" in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["inplace", "hardlink"])
def test_a_source_that_was_rewritten_is_named(repo, tree, tmp_path, mode, capsys):
    assert DataRepo(repo).import_all(tree, mode=mode).adopted == 2
    rewrite(tree / IMAGE, bytes(len((tree / IMAGE).read_bytes())))
    (problem,) = DataRepo(repo).verify("2026aa").problems
    assert (problem.kind, str(tree / IMAGE) in problem.text) == ("damaged", True)
    with pytest.raises(DamagedData, match=r"DES_z\.fits has been modified"):
        DataRepo(repo).get("2026aa@0", tmp_path / "got")
    rewrite(tree / IMAGE)
    (problem,) = DataRepo(repo).verify("2026aa", fast=True).problems
    assert f"{tree / IMAGE} has 14 bytes" in problem.text


def test_in_place_a_quick_look_finds_what_was_touched_or_is_gone(repo, tree):
    DataRepo(repo).import_all(tree, mode="inplace")
    os.utime(tree / IMAGE)
    (problem,) = DataRepo(repo).verify("2026aa", fast=True).problems
    assert "shows only by reading it" in problem.text
    assert DataRepo(repo).verify("2026aa").problems == []
    assert DataRepo(repo).verify("2026aa", fast=True).problems == [], "it was read, and is sound"
    (tree / IMAGE).unlink()
    (problem,) = DataRepo(repo).verify("2026aa").problems
    assert (problem.kind, f"{tree / IMAGE} is gone" in problem.text) == ("missing", True)
    assert DataRepo(repo).verify("2026ab").problems == []


def test_hard_links_are_the_very_files_and_are_not_made_where_somebody_may_write(repo, tree, tmp_path, run, capsys):
    (tree / IMAGE).chmod(0o644)
    call = ["-C", str(repo), "import", str(tree), "--mode", "hardlink"]
    for words in ([*call, "--dry-run"], call):
        assert main(words) == 4
        assert f"skipped 2026aa: {tree / IMAGE} has the mode 0644, so published data" in capsys.readouterr().out
    (tree / IMAGE).chmod(0o400)
    assert main(call) == 4
    assert "not everybody could read it" in capsys.readouterr().out
    (tree / IMAGE).chmod(0o444)
    assert main(call) == 0
    assert inodes(held(repo / "dvc").values()) < inodes(files_of(tree)), "of equal files one serves all"
    assert DataRepo(repo).verify().problems == []
    assert pulls(run, clone_of(repo, "2026aa/0", tmp_path / "clone", run))
    shutil.rmtree(tree)
    assert DataRepo(repo).verify().problems == []


def test_another_disk_takes_no_hard_links(repo, other_disk):
    tree = write_tree(other_disk / "data", NAMES)
    for file in files_of(tree):
        file.chmod(0o444)
    with pytest.raises(StoreError, match="--mode copy"):
        DataRepo(repo).import_all(tree, mode="hardlink")
    assert DataRepo(repo).list() == []
    assert DataRepo(repo).import_all(tree, mode="inplace").adopted == 2
    assert DataRepo(repo).verify().problems == []


def test_who_may_rewrite_is_warned_of(repo, tree, capsys):
    (tree / IMAGE).chmod(0o644)
    assert main(["-C", str(repo), "import", str(tree), "--mode", "inplace"]) == 0
    assert "1 file may be rewritten" in capsys.readouterr().err


def test_work_goes_on_and_the_tree_can_be_given_up(repo, tree, record, tmp_path, run):
    DataRepo(repo).import_all(tree, mode="inplace")
    sample = small("2026aa", seed=0)
    assert record(repo, sample).status == "unchanged"
    assert record(repo, refit(sample, seed=3)).revision == 1
    assert {path.is_symlink() for path in held(repo / "dvc").values()} == {False}
    assert DataRepo(repo).stores.bring(dry_run=True).moves == []
    assert DataRepo(repo).stores.bring(dry_run=True).in_place > 0
    assert DataRepo(repo).gc(delete=True).set_aside == []
    DataRepo(repo).migrate(tmp_path / "linked")
    assert DataRepo(tmp_path / "linked").verify().problems == []
    assert DataRepo(tmp_path / "linked").stores.bring(dry_run=True).moves == []
    DataRepo(repo).migrate(tmp_path / "whole", mode="copy")
    DataRepo(repo).subset(tmp_path / "part", ["2026ab@0"])
    shutil.rmtree(tree)
    shutil.rmtree(repo)
    assert DataRepo(tmp_path / "whole").verify().problems == []
    assert DataRepo(tmp_path / "part").verify().problems == []
    assert "is gone" in DataRepo(tmp_path / "linked").verify("2026ab").problems[0].text
    clone = clone_of(tmp_path / "part", "2026ab/0", tmp_path / "clone", run)
    assert main(["setup", str(clone)]) == 0
    assert pulls(run, clone)


def test_a_withdrawal_says_where_the_bytes_still_are(repo, tree):
    DataRepo(repo).import_all(tree, mode="inplace")
    done = DataRepo(repo).withdraw("2026aa@0:cutout_cdn/DES/DES_z.fits", "a test", now=True)
    assert [text for text in done.staying if str(tree / IMAGE) in text]
    assert (tree / IMAGE).is_file()
    assert DataRepo(repo).verify().problems == []


def test_strays_beside_the_two_folders_are_told(repo, tree, tmp_path, capsys):
    (tree / "notes").mkdir()
    (tree / "README").write_text("mine")
    (tree / ".DS_Store").write_text("")
    call = ["-C", str(repo), "import", str(tree), "--skipped", str(tmp_path / "skipped")]
    assert main(call) == 0
    assert "not looked at, since it lies beside cutout_cdn and sed_output: README, notes/" in capsys.readouterr().out
    assert (tmp_path / "skipped").read_text().splitlines() == [
        "README\tit lies beside cutout_cdn and sed_output",
        "notes/\tit lies beside cutout_cdn and sed_output",
    ]
    assert main([*call, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["strays"] == ["README", "notes/"]


def test_odd_files_of_a_tree_in_place(repo, tree, tmp_path):
    odd = "cutout_cdn/2026aa/DES/odd 'ü' name.fits"
    (tree / odd).write_bytes(b"odd")
    (tree / "cutout_cdn/2026ab/DES/empty.fits").touch()
    done = DataRepo(repo).import_all(tree, mode="inplace")
    assert (done.adopted, "is empty" in done.skipped["2026ab"]) == (1, True)
    DataRepo(repo).get("2026aa@0", tmp_path / "got")
    assert (tmp_path / "got/cutout_cdn/DES/odd 'ü' name.fits").read_bytes() == b"odd"
    (tree / "cutout_cdn/2026ab/DES/empty.fits").unlink()
    os.mkfifo(tree / "cutout_cdn/2026ab/DES/pipe.fits")
    assert "not a regular file" in DataRepo(repo).import_all(tree, mode="inplace").skipped["2026ab"]
    (tree / "cutout_cdn/2026ab/DES/pipe.fits").unlink()
    (tree / "cutout_cdn/2026ab/DES/loop.fits").symlink_to("loop.fits")
    assert "2026ab" in DataRepo(repo).import_all(tree, mode="inplace").skipped


def test_what_cannot_be_linked_is_refused(repo, tmp_path):
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives/2026aa.tar.gz").write_bytes(b"")
    for source in (tmp_path / "archives", "s3://bucket/folder"):
        for mode in ("hardlink", "inplace"):
            with pytest.raises(UsageError, match=r"without --mode|Leave out --mode"):
                DataRepo(repo).import_all(source, mode=mode, exports=tmp_path)
    with pytest.raises(UsageError):
        DataRepo(repo).import_all(tmp_path, mode="move")
    DataRepo.init(tmp_path / "far", store="s3://bucket/store", simulated=True)
    with pytest.raises(UsageError, match="is not a folder"):
        DataRepo(tmp_path / "far").import_all(tmp_path, mode="hardlink")
    with pytest.raises(UsageError):
        DataRepo(repo).import_all(tmp_path, mode="copy", reflink=True)


@pytest.mark.slow
def test_several_processes_take_one_tree_in_place(repo, tmp_path):
    names = [f"2026b{n:02}" for n in range(60)]
    tree = write_tree(Path(tmp_path / "data"), names)
    call = [sys.executable, "-m", "blastgit", "-C", repo, "import", tree, "--mode", "inplace", "--jobs", "2"]
    subprocess.run([str(word) for word in call], check=True, capture_output=True)
    assert DataRepo(repo).verify().problems == []
    assert len(DataRepo(repo).stores.urls) == 1
