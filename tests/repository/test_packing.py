import json
import multiprocessing
import tempfile
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.demo import Sample, refit, small
from blastgit.errors import Busy
from blastgit.plumbing.locks import Journal, hold
from blastgit.repository.packing import Counts, count
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

WRITERS, RECORDS = 4, 4
PATIENCE = 300  # seconds
fork = multiprocessing.get_context("fork")


def test_refs_and_objects_are_packed(history, tmp_path, run):
    before = run("git", "-C", history, "for-each-ref", "refs/heads", "refs/tags")
    done = DataRepo(history).maintain()
    assert done.before.objects == 0
    assert done.before.packs == 4
    assert done.before.refs == 4
    assert done.after == Counts(objects=0, packs=1, refs=0)
    assert run("git", "-C", history, "for-each-ref", "refs/heads", "refs/tags") == before
    assert (history / "objects/info/commit-graphs").is_dir()
    assert not list((history / "objects").rglob("tmp_obj*"))
    assert DataRepo(history).verify().problems == []
    run("git", "-C", history, "fsck", "--strict")
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", "--branch", "2026dgt/0", "--single-branch", history, clone)
    run("dvc", "pull", "--quiet", cwd=clone)
    assert DataRepo(history).maintain().after == done.after


def test_objects_without_a_ref_stay(history, run):
    """They may belong to a revision that is being recorded."""
    blob = run("git", "-C", history, "hash-object", "-w", "--stdin", stdin="on its way").strip()
    for _ in range(2):
        DataRepo(history).maintain()
        assert run("git", "-C", history, "cat-file", "blob", blob) == "on its way"


def test_an_open_repo_reads_on(history, states, record):
    opened = DataRepo(history)
    opened.log("2026dgt")
    for seed in range(3):
        DataRepo(history).maintain()
        record(history, refit(states[2], seed=20 + seed))
        assert [entry.revision.number for entry in opened.log("2026dgt")] == list(range(seed + 3))[::-1]
        assert opened.show("2026dgt@0").kind == "document"


def write(repo: Path, samples: list[Sample], is_packed: Event, left: "Synchronized[int]") -> None:
    """Record all samples, the last one when the repo has been packed more than once."""
    try:
        for sample in samples:
            assert sample is not samples[-1] or is_packed.wait(PATIENCE)
            with tempfile.TemporaryDirectory() as folder:
                export, data = sample.write(Path(folder))
                assert DataRepo(repo).record(sample.name, export, data).status == "recorded"
    finally:
        with left.get_lock():
            left.value -= 1


def test_beside_four_writers_and_a_reader(repo, run):
    left, is_packed = fork.Value("i", WRITERS), fork.Event()
    samples = [[refit(small(f"2026b{i}", seed=i), seed=seed) for seed in range(RECORDS)] for i in range(WRITERS)]
    writers = [fork.Process(target=write, args=(repo, each, is_packed, left)) for each in samples]
    for writer in writers:
        writer.start()
    reader = DataRepo(repo)
    rounds = 0
    while left.value:
        DataRepo(repo).maintain()
        rounds += 1
        if rounds > 1:
            is_packed.set()
        for transient in reader.list():
            assert reader.log(transient.name)
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    report = DataRepo(repo).verify()
    assert (report.revisions, report.problems) == (WRITERS * RECORDS, [])
    run("git", "-C", repo, "fsck", "--strict")


@pytest.mark.parametrize("key", ["blastgit.maintainLoose", "blastgit.maintainPacks"])
def test_it_starts_by_itself_when_there_is_much_to_pack(repo, record, run, states, key):
    record(repo, states[0])
    assert not (repo / "blastgit/maintain.log").exists()
    run("git", "-C", repo, "config", "blastgit.maintainLoose", "6700")
    run("git", "-C", repo, "config", key, "1")
    (repo / "objects/17" / ("0" * 38)).touch()  # whether there is one of its own is chance
    record(repo, states[2])
    wait_until(lambda: count(repo).refs == 0 and not (repo / "blastgit/locks/.maintain").exists())
    assert (repo / "blastgit/maintain.log").exists()


def test_never_when_it_is_told_so(repo, record, run, states):
    assert run("git", "-C", repo, "config", "blastgit.maintainLoose").strip() == "0"
    run("git", "-C", repo, "config", "blastgit.maintainPacks", "1")
    (repo / "objects/17" / ("0" * 38)).touch()
    record(repo, states[0])
    assert not (repo / "blastgit/maintain.log").exists()


def test_one_at_a_time(history):
    with hold(history / "blastgit/locks/.maintain", timeout=0) as lock:
        lock.announce(Journal.own())
        with pytest.raises(Busy):
            DataRepo(history).maintain()


def test_the_command_line(history, capsys):
    repo = ("-C", str(history), "maintain")
    assert main([*repo, "--auto"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert main([*repo, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said) == {"was_due", "before", "after"}
    assert set(said["after"]) == {"loose_objects", "packs", "loose_refs"}
    assert main([*repo]) == 0
    assert "packed" in capsys.readouterr().out
