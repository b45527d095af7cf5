import json
import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import refit, small
from blastgit.errors import Busy, RepoError, UsageError
from blastgit.maintenance.gc import read_duration
from blastgit.plumbing.locks import Journal, hold
from blastgit.store.hashing import copy_hashing
from blastgit.store.local import LocalStore

MONTH = 30 * 86400


@pytest.fixture
def store(history: Path) -> LocalStore:
    """The store of a data repo, with all that it holds a month old."""
    found = LocalStore(history / "dvc")
    for content in found.contents():
        age(found.object_path(content.md5))
    return found


def age(path: Path, seconds: float = MONTH) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def bring(store: LocalStore, text: bytes, seconds: float = 0) -> str:
    """Bring a content as a writer does, some time ago, and return its name."""
    source, staged = store.folder / "source", store.staging_root / "x" / "0"
    staged.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(text)
    sums = copy_hashing(source, staged)
    store.put(staged, sums)
    source.unlink()
    staged.parent.rmdir()
    if seconds:
        age(store.object_path(sums.md5), seconds)
    return sums.md5


def names(store: LocalStore) -> set[str]:
    return {content.md5 for content in store.contents()}


def test_what_is_needed_is_not_touched(history, store):
    before = names(store)
    report = DataRepo(history).gc(delete=True)
    assert (report.contents, report.reached, report.set_aside) == (len(before), len(before), [])
    assert names(store) == before


def test_a_dry_run_says_what_would_be_done_and_does_nothing(history, store):
    old, young = bring(store, b"old", MONTH), bring(store, b"young")
    report = DataRepo(history).gc()
    assert (report.acted, report.set_aside, report.size, report.young) == (False, [old], 3, 1)
    assert {old, young} <= names(store)


def test_a_long_way_out_and_a_way_back(history, store, run):
    old = bring(store, b"old", MONTH)
    assert DataRepo(history).gc(delete=True).set_aside == [old]
    assert old not in names(store)
    again = DataRepo(history).gc(delete=True)
    assert (again.discarded, again.waiting) == ([], 1)
    assert DataRepo(history).gc(restore=True).restored == [old]
    assert store.object_path(old).read_bytes() == b"old"
    assert DataRepo(history).gc(delete=True).young == 1, "what was brought back is left alone for a while"
    age(store.object_path(old))
    DataRepo(history).gc(delete=True)
    day = next((store.folder / "quarantine").iterdir())
    day.rename(day.with_name("2020-01-01"))
    assert DataRepo(history).gc().discarded == [old]
    report = DataRepo(history).gc(delete=True)
    assert (report.discarded, report.freed, report.waiting) == ([old], 3, 0)
    assert list((store.folder / "quarantine").iterdir()) == []
    assert DataRepo(history).verify().problems == []
    run("git", "-C", history, "fsck", "--strict")


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/u/bob/2026dgt", "refs/tags/u/bob/2026dgt/0", "refs/tags/release/best/1", "refs/workflow/2026dgt",
        "refs/heads/annotations", "refs/notes/x",
    ],
)  # fmt: skip
def test_any_ref_protects_what_it_reaches(history, store, run, ref):
    md5 = bring(store, b"needed by one ref", MONTH)
    pointer = f"outs:\n- md5: {md5}\n  size: 17\n  hash: md5\n  path: x.fits\n"
    blob = run("git", "-C", history, "hash-object", "-w", "--stdin", stdin=pointer).strip()
    tree = run("git", "-C", history, "mktree", stdin=f"100644 blob {blob}\tx.fits.dvc\n").strip()
    tree = run("git", "-C", history, "mktree", stdin=f"040000 tree {tree}\tcutout_cdn\n").strip()
    first = run("git", "-C", history, "commit-tree", "-m", "has it", tree).strip()
    second = run("git", "-C", history, "commit-tree", "-m", "has it no more", "-p", first, "main^{tree}").strip()
    assert DataRepo(history).gc().set_aside == [md5]
    run("git", "-C", history, "update-ref", ref, second)
    assert DataRepo(history).gc(delete=True).set_aside == []
    run("git", "-C", history, "update-ref", "-d", ref)
    assert DataRepo(history).gc(delete=True).set_aside == [md5], "the reflog does not count"


def test_a_writer_that_relies_on_an_old_content_makes_it_young(history, store):
    md5 = bring(store, b"old", MONTH)
    assert bring(store, b"old") == md5
    assert DataRepo(history).gc(delete=True).young == 1


def test_a_writer_between_the_look_and_the_move(history, store, monkeypatch):
    md5 = bring(store, b"old", MONTH)
    real = Path.rename

    def relied_on_just_before(self: Path, target: Path) -> Any:
        if self == store.object_path(md5) and not os.utime(self):
            monkeypatch.setattr(Path, "rename", real)
        return real(self, target)

    monkeypatch.setattr(Path, "rename", relied_on_just_before)
    report = DataRepo(history).gc(delete=True)
    assert (report.set_aside, report.young) == ([], 1)
    assert md5 in names(store)


def test_a_writer_that_finds_it_gone_after_all_brings_it_anew(history, store, monkeypatch):
    md5 = bring(store, b"old", MONTH)
    real = os.utime

    def gone(path: Any, *rest: Any) -> None:
        monkeypatch.setattr(os, "utime", real)
        DataRepo(history).gc(delete=True)
        real(path, *rest)

    monkeypatch.setattr(os, "utime", gone)
    assert bring(store, b"old") == md5
    assert md5 in names(store)


def test_what_turns_out_to_be_needed_comes_back(history, store, tmp_path):
    md5 = DataRepo(history).show("2026dgt@1:cutout_cdn/DES/DES_z.fits").value["md5"]
    store.set_aside(md5)  # as after a race that nobody can win, on another kind of store
    report = DataRepo(history).gc(delete=True)
    assert report.restored == [md5]
    assert DataRepo(history).verify().problems == []


@pytest.mark.slow
def test_beside_writers(tmp_path, history, store):
    """Contents of 30 days, no grace but a minute, and a writer at work: nothing that it records is lost."""
    samples = [refit(small("2026b", seed=3), seed=seed) for seed in range(6)]
    inputs = []
    for number, sample in enumerate(samples):
        (tmp_path / str(number)).mkdir()
        inputs.append(sample.write(tmp_path / str(number)))
    for sample in samples:
        for data in sample.files.values():
            bring(store, data, MONTH)
    done = threading.Event()

    def collect() -> int:
        moved = 0
        while not done.is_set():
            moved += len(DataRepo(history).gc(delete=True, grace=timedelta(minutes=1)).set_aside)
        return moved

    with ThreadPoolExecutor(1) as pool:
        collector = pool.submit(collect)
        for export, data in inputs:
            DataRepo(history).record("2026b", export, data)
        done.set()
        assert collector.result() > 0
    assert DataRepo(history).verify().problems == []


def test_while_git_lacks_something_nothing_is_deleted_for_good(history, store, loose):
    old = bring(store, b"old", MONTH)
    loose(history, "2026dgt/0:cutout_cdn").unlink()
    first = DataRepo(history).gc(delete=True)
    assert old in first.set_aside, "which can be taken back"
    assert first.damaged
    for day in (store.folder / "quarantine").iterdir():
        day.rename(day.with_name("2020-01-01"))
    assert DataRepo(history).gc(delete=True).discarded == []


def test_a_part_of_a_repo_does_not_know_what_is_needed(history, tmp_path, run):
    shallow = tmp_path / "shallow.git"
    run("git", "clone", "--quiet", "--bare", "--depth", "1", f"file://{history}", shallow)
    with pytest.raises(RepoError, match="not all here"):
        DataRepo(shallow).gc()


def test_two_repos_that_share_a_store(tmp_path, history, store, record):
    other = DataRepo.init(tmp_path / "other", store=str(store.folder), simulated=True)
    record(other.path, small("2026b", seed=5))
    for content in store.contents():
        age(store.object_path(content.md5))
    assert DataRepo(history).gc(delete=True).set_aside == [], "the store knows the other one"
    shutil.rmtree(store.folder / "repos")
    assert DataRepo(history).gc().set_aside
    assert DataRepo(history).gc(delete=True, also=[other.path]).set_aside == []


def test_temporary_folders(history, store):
    locks, root = history / "blastgit/locks", store.staging_root
    for name in ("dead", "named", "young"):
        (root / name).mkdir(parents=True)
        (root / name / "0").write_bytes(b"x")
    for path in (root / "dead", root / "named"):
        for each in (path / "0", path):
            age(each)
    with hold(locks / "2026other", timeout=0) as lock:
        lock.announce(Journal.own([root / "named"]))
        assert DataRepo(history).gc().folders == [str(root / "dead")]
        assert DataRepo(history).gc(delete=True, grace=timedelta(0)).folders == [str(root / "dead")]
        assert sorted(path.name for path in root.iterdir()) == ["named", "young"]


def test_one_at_a_time(history):
    with hold(history / "blastgit/locks/.gc", timeout=0) as lock:
        lock.announce(Journal.own())
        with pytest.raises(Busy):
            DataRepo(history).gc(delete=True)


def test_time_spans():
    assert read_duration("14d") == timedelta(days=14)
    assert read_duration("12h") == timedelta(hours=12)
    assert read_duration("0m") == timedelta(0)
    for text in ("", "14", "d", "-1d", "1.5h", "9999999d"):
        with pytest.raises(UsageError):
            read_duration(text)


def test_the_command_line(history, store, capsys):
    repo = ("-C", str(history), "gc")
    bring(store, b"old", MONTH)
    assert main([*repo]) == 0
    assert "1 content would be set aside (3 B)\nnothing was done" in capsys.readouterr().out
    assert main([*repo, "--delete", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {
        "acted", "contents", "reached", "young", "set_aside", "restored", "discarded", "waiting", "bytes", "freed",
        "folders", "staying", "damaged",
    }  # fmt: skip
    assert main([*repo, "--restore"]) == 0
    assert capsys.readouterr().out == "1 content brought back from the quarantine\n"
    assert main([*repo, "--delete", "--restore"]) == 2
    assert main([*repo, "--grace", "soon"]) == 2
