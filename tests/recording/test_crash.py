"""A writer may be killed at any instant: the next command finds a usable repo, and no published data is lost."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.crash import random_instants, run_killed_after, run_killed_at, time_of
from blastgit import DataRepo
from blastgit.demo import Sample, change_image, reprocess, small
from blastgit.errors import BlastgitError
from blastgit.plumbing import refs
from blastgit.plumbing.locks import Journal, try_lock
from blastgit.plumbing.ref_update import RefUpdate
from blastgit.recording.result import Recorded

pytestmark = pytest.mark.slow

FILTER = "2MASS_J"
Record = Callable[..., Recorded]
Inputs = tuple[Path, Path]


@pytest.fixture
def changed(sample: Sample) -> Sample:
    name = next(path.rpartition("/")[2].removesuffix(".fits") for path in sample.files if path.endswith(".fits"))
    again = reprocess(sample, app_version="v1.13.1", export_time="2026-06-20T10:00:00+00:00", seed=3)
    return change_image(again, name, seed=5)


def write(sample: Sample, folder: Path) -> Inputs:
    folder.mkdir()
    return sample.write(folder)


def check(repo: Path, name: str, published: dict[int, Path], run: Callable[..., str]) -> None:
    """The repo is usable, sound, and gives back what was ever published."""
    opened = DataRepo(repo)
    assert list((repo / "blastgit/locks").iterdir()) == []
    assert list((repo / "dvc/tmp").glob("*")) == []
    assert list((repo / "refs").rglob("*.lock")) == []
    if opened.list():
        report = opened.verify()
        assert report.problems == []
    for number, data in published.items():
        got = opened.get(f"{name}@{number}", repo.parent / f"got-{os.urandom(4).hex()}")
        for path in got.written:
            if path != f"{name}.json":
                root, _, rest = path.partition("/")
                assert (got.folder / path).read_bytes() == (data / root / name / rest).read_bytes()
    run("git", "--git-dir", repo, "fsck", "--strict", "--connectivity-only")


def record_once(repo: Path, name: str, inputs: Inputs) -> Recorded:
    return DataRepo(repo).record(name, *inputs)


def test_killed_at_every_write_step_of_a_first_and_a_second_revision(
    tmp_path: Path, sample: Sample, changed: Sample, run: Callable[..., str]
) -> None:
    first, second = write(sample, tmp_path / "first"), write(changed, tmp_path / "second")
    published: dict[int, Path] = {}
    repo = tmp_path / "repo"
    DataRepo.init(repo, simulated=True)
    for number, inputs in enumerate([first, second]):
        step = 0
        while run_killed_at(step, lambda inputs=inputs: record_once(repo, sample.name, inputs)).killed:
            check(repo, sample.name, published, run)
            step += 1
            if _numbers(repo, sample.name) == list(range(number + 1)):
                break  # it was published before it died, so that the next try has nothing left to do
        assert step > 10
        assert record_once(repo, sample.name, inputs).revision == number
        assert _numbers(repo, sample.name) == list(range(number + 1))
        published[number] = inputs[1]
        check(repo, sample.name, published, run)


def test_killed_at_random_instants(tmp_path: Path, sample: Sample, changed: Sample, run: Callable[..., str]) -> None:
    inputs = [write(sample, tmp_path / "first"), write(changed, tmp_path / "second")]
    repo = tmp_path / "repo"
    DataRepo.init(repo, simulated=True)
    longest = 1.2 * time_of(lambda: record_once(repo, sample.name, inputs[0]))
    for turn, instant in enumerate(random_instants(40, longest)):
        before = _numbers(repo, sample.name)
        state = inputs[(turn + 1) % 2]
        death = run_killed_after(instant, lambda state=state: record_once(repo, sample.name, state))
        check(repo, sample.name, {}, run)
        after = _numbers(repo, sample.name)
        assert after == list(range(len(after)))
        assert after[: len(before)] == before
        assert death.killed or death.code == 0


def _numbers(repo: Path, name: str) -> list[int]:
    opened = DataRepo(repo)
    return sorted(entry.revision.number for entry in opened.log(name)) if opened.list(name) else []


@pytest.mark.parametrize("applied", [0, 1], ids=["tag without branch", "branch without tag"])
@pytest.mark.parametrize("number", [0, 1])
def test_a_half_applied_transaction_is_rolled_forward(
    tmp_path: Path, repo: Path, sample: Sample, changed: Sample, run: Callable[..., str], applied: int, number: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    states = [write(sample, tmp_path / "first"), write(changed, tmp_path / "second")]
    for inputs in states[:number]:
        record_once(repo, sample.name, inputs)
    real = refs.update_refs

    def half(directory: Path, updates: list[RefUpdate], *rest: Any, **more: Any) -> None:
        real(directory, [updates[applied]], *rest, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr("blastgit.plumbing.refs.update_refs", half)
    assert run_killed_after(60, lambda: record_once(repo, sample.name, states[number])).killed
    monkeypatch.undo()

    check(repo, sample.name, {number: states[number][1]}, run)
    again = record_once(repo, sample.name, states[number])
    assert (again.status, again.revision) == ("unchanged", number)


def test_a_git_lock_of_a_dead_writer_goes_and_that_of_a_live_push_stays(
    repo: Path, sample: Sample, record: Record
) -> None:
    record(repo, sample)
    ours, theirs = repo / "refs/tags/2026dgt/1.lock", repo / "refs/heads/2026dgt.lock"
    refs_announced = {"refs/tags/2026dgt/1": "1" * 40, "refs/heads/2026dgt": "2" * 40}

    def die() -> None:
        lock = try_lock(repo / "blastgit/locks/2026dgt", create=True)
        assert lock is not None
        lock.announce(Journal.own(refs=refs_announced))
        ours.write_text("1" * 40 + "\n")
        os.kill(os.getpid(), signal.SIGKILL)

    assert run_killed_after(60, die).killed
    theirs.write_text("3" * 40 + "\n")  # a push of another commit holds this one just now
    DataRepo(repo)
    assert not ours.exists()
    assert theirs.exists()
    theirs.unlink()


def test_a_live_git_process_keeps_its_lock_and_a_writer_waits_for_it(
    tmp_path: Path, repo: Path, sample: Sample, changed: Sample, run: Callable[..., str]
) -> None:
    tip = record_once(repo, sample.name, write(sample, tmp_path / "first")).commit
    marker = run("git", "--git-dir", repo, "commit-tree", f"{tip}^{{tree}}", "-p", tip, "-m", "a stage").strip()
    inputs = write(changed, tmp_path / "changed")
    command = ["git", "--git-dir", str(repo), "update-ref", "--stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as git:
        assert git.stdin is not None
        assert git.stdout is not None
        git.stdin.write(f"start\nupdate refs/heads/2026dgt {marker} {tip}\nprepare\n")
        git.stdin.flush()
        assert [git.stdout.readline() for _ in range(2)] == ["start: ok\n", "prepare: ok\n"]  # now it holds the lock

        def die() -> None:
            lock = try_lock(repo / "blastgit/locks/2026dgt", create=True)
            assert lock is not None
            lock.announce(Journal.own(refs={"refs/heads/2026dgt": "2" * 40}))
            os.kill(os.getpid(), signal.SIGKILL)

        assert run_killed_after(60, die).killed
        DataRepo(repo)
        assert (repo / "refs/heads/2026dgt.lock").exists()
        timer = threading.Timer(0.3, lambda: print("commit", file=git.stdin, flush=True))
        timer.start()
        assert record_once(repo, sample.name, inputs).revision == 1
        timer.join()
    assert git.returncode == 0


def test_an_empty_git_lock_stays_as_long_as_somebody_has_it_open(repo: Path, sample: Sample, record: Record) -> None:
    record(repo, sample)
    path = repo / "refs/heads/2026dgt.lock"

    def die() -> None:
        lock = try_lock(repo / "blastgit/locks/2026dgt", create=True)
        assert lock is not None
        lock.announce(Journal.own(refs={"refs/heads/2026dgt": "2" * 40}))
        os.kill(os.getpid(), signal.SIGKILL)

    with path.open("x"):
        assert run_killed_after(60, die).killed
        DataRepo(repo)
        assert path.exists()
    assert run_killed_after(60, die).killed
    DataRepo(repo)
    assert not path.exists()


def test_a_journal_cannot_have_folders_of_others_removed(repo: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()

    def die() -> None:
        lock = try_lock(repo / "blastgit/locks/2026dgt", create=True)
        assert lock is not None
        lock.announce(Journal.own([precious, repo / "dvc/tmp/../../objects"]))
        os.kill(os.getpid(), signal.SIGKILL)

    assert run_killed_after(60, die).killed
    DataRepo(repo)
    assert precious.exists()
    assert (repo / "objects").exists()


def test_no_space_left_in_the_middle(tmp_path: Path, small_disk: Path, run: Callable[..., str]) -> None:
    repo = small_disk / "repo"
    DataRepo.init(repo, simulated=True)
    complaints = []
    for i in range(200):
        sample = small(f"2026a{i:03}", seed=i)
        inputs = write(sample, tmp_path / sample.name)
        try:
            record_once(repo, sample.name, inputs)
        except BlastgitError as error:
            complaints.append(str(error))
            if len(complaints) == 3:
                break
    assert len(complaints) == 3
    assert all("space" in complaint for complaint in complaints)
    opened = DataRepo(repo)
    assert opened.verify().problems == []
    assert list((repo / "dvc/tmp").glob("*")) == []
    run("git", "--git-dir", repo, "fsck", "--strict")
