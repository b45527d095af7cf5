import shutil
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.errors import Denied, UsageError
from blastgit.store.local import LocalStore

pytestmark = pytest.mark.slow

DES_Z = "cutout_cdn/DES/DES_z.fits"


def content_of(repo: Path, spec: str) -> Path:
    return LocalStore(repo / "dvc").object_path(DataRepo(repo).show(spec).value["md5"])


def spoil(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"x" + path.read_bytes()[1:])


@pytest.fixture
def broken(history: Path, tmp_path: Path) -> Path:
    """A data repo that lacks a content and has a damaged one; `backup` beside it is a sound copy of its store."""
    shutil.copytree(history / "dvc", tmp_path / "backup")
    content_of(history, f"2026dgt@0:{DES_Z}").unlink()
    spoil(content_of(history, f"2026dgt@1:{DES_Z}"))
    return history


def quarantine(repo: Path) -> list[str]:
    return [path.name for path in (repo / "dvc/quarantine").rglob("*") if path.is_file()]


def test_from_a_copy_of_the_store(broken, tmp_path, run):
    damaged = content_of(broken, f"2026dgt@1:{DES_Z}")
    report = DataRepo(broken).verify(repair=True, sources=[str(tmp_path / "backup")])
    assert report.is_sound
    assert [each.where for each in report.repaired] == [f"2026dgt@0:{DES_Z}", f"2026dgt@1:{DES_Z}"]
    assert DataRepo(broken).verify().problems == []
    assert [name.partition(".")[0] for name in quarantine(broken)] == ["".join(damaged.parts[-2:])]
    assert not list((broken / "dvc/tmp").glob("*"))
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", "--branch", "2026dgt/0", "--single-branch", broken, clone)
    run("dvc", "pull", "--quiet", cwd=clone)
    assert run("dvc", "status", cwd=clone).strip() == "Data and pipelines are up to date."


def test_from_the_cache_of_a_clone(history, tmp_path, run):
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", "--branch", "2026dgt/1", "--single-branch", history, clone)
    run("dvc", "pull", "--quiet", cwd=clone)
    content_of(history, f"2026dgt@1:{DES_Z}").unlink()
    report = DataRepo(history).verify(fast=True, repair=True, sources=[str(clone)])
    assert [each.source for each in report.repaired] == [str(clone / ".dvc/cache")]
    assert DataRepo(history).verify().problems == []


def test_a_source_that_is_damaged_too_replaces_nothing(broken, tmp_path):
    backup = LocalStore(tmp_path / "backup")
    for number in (0, 1):
        spoil(backup.object_path(DataRepo(broken).show(f"2026dgt@{number}:{DES_Z}").value["md5"]))
    before = content_of(broken, f"2026dgt@1:{DES_Z}").read_bytes()
    report = DataRepo(broken).verify(repair=True, sources=[str(tmp_path / "backup")])
    assert [problem.kind for problem in report.problems] == ["missing", "damaged"]
    assert report.repaired == []
    assert content_of(broken, f"2026dgt@1:{DES_Z}").read_bytes() == before
    assert quarantine(broken) == []


def test_one_source_after_the_other(broken, tmp_path):
    poor = tmp_path / "poor"
    (poor / "files/md5").mkdir(parents=True)
    report = DataRepo(broken).verify(repair=True, sources=[str(poor), str(tmp_path / "backup")])
    assert report.is_sound


def test_what_was_set_aside_by_mistake_comes_back_without_any_source(history):
    md5 = DataRepo(history).show(f"2026dgt@1:{DES_Z}").value["md5"]
    assert LocalStore(history / "dvc").set_aside(md5)
    (problem,) = DataRepo(history).verify().problems
    assert "it is in the quarantine" in problem.text
    assert [each.source for each in DataRepo(history).verify(repair=True).repaired] == ["the quarantine"]
    assert DataRepo(history).verify().problems == []


def test_what_was_damaged_in_the_quarantine_is_not_put_where_clones_would_trust_it(history):
    md5 = DataRepo(history).show(f"2026dgt@1:{DES_Z}").value["md5"]
    store = LocalStore(history / "dvc")
    store.set_aside(md5)
    (item,) = store.quarantined()
    spoil(store.folder / "quarantine" / item.key)
    assert not DataRepo(history).verify(repair=True).is_sound
    assert store.missing([md5])


def test_who_may_not_and_what_cannot(broken, capsys):
    assert main(["-C", str(broken), "verify", "--from", "x"]) == 2
    with pytest.raises(UsageError, match="is not a store"):
        DataRepo(broken).verify(repair=True, sources=[str(broken / "refs")])
    assert not DataRepo(broken).verify(repair=True).is_sound
    capsys.readouterr()


def test_it_takes_an_admin(broken, tmp_path, run):
    clone = tmp_path / "settings"
    run("git", "clone", "--quiet", broken, clone)
    with (clone / "blastgit.yaml").open("a") as file:
        file.write("policy:\n  roles:\n    admin: [somebody-else]\n    writer: ['*']\n")
    run("git", "commit", "--quiet", "-am", "policy", cwd=clone)
    run("git", "push", "--quiet", "origin", "main", cwd=clone)
    with pytest.raises(Denied):
        DataRepo(broken).verify(repair=True, sources=[str(tmp_path / "backup")])
    with pytest.raises(Denied):
        DataRepo(broken).gc(delete=True)
    with pytest.raises(Denied):
        DataRepo(broken).withdraw("2026dgt@0", "licence")
    assert DataRepo(broken).gc().set_aside == []
