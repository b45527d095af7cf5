"""Leases: two runs of one transient, workers that die in the middle, clocks that disagree."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.crash import random_instants, run_killed_after, run_killed_at, time_of
from blastgit import DataRepo
from blastgit.demo import Sample, change_image
from blastgit.errors import Busy, LostLease
from blastgit.plumbing.process import git_environment, run_git
from blastgit.workflow.lease import SKEW, Lease, repo_time
from blastgit.workflow.markers import Run

pytestmark = pytest.mark.slow

NAME = "2026dgt"
MOMENT = timedelta(milliseconds=300)


def subjects(repo: Path) -> list[str]:
    return run_git(repo, "log", "--reverse", "--format=%s", f"refs/workflow/{NAME}").decode().splitlines()


def test_a_second_run_sees_the_first_and_keeps_out(history: Path) -> None:
    first, second = (DataRepo(history).workflow(NAME, owner) for owner in ("run-1", "run-2"))
    first.begin("Cutout download")
    for call in (lambda: second.begin("Cutout download"), lambda: second.begin("Host match"), second.drop):
        with pytest.raises(Busy, match="another run of 2026dgt is in progress: Cutout download was begun by run-1 on "):
            call()
    first.finish("Cutout download")
    second.begin("Host match")
    with pytest.raises(Busy, match="by run-2"):
        first.begin("Host information")
    with pytest.raises(LostLease, match="by run-2"):
        first.finish("Host match")


def test_one_run_of_many_workers(history: Path) -> None:
    first, second = (DataRepo(history).workflow(NAME, "run-1") for _ in range(2))
    first.begin("Global aperture photometry")
    second.begin("Local aperture photometry")
    first.finish("Local aperture photometry")
    second.finish("Global aperture photometry")


def test_a_second_run_waits_for_the_first(history: Path) -> None:
    first, second = (DataRepo(history).workflow(NAME, owner) for owner in ("run-1", "run-2"))
    first.begin("Cutout download")
    ended = threading.Timer(0.1, first.finish, ["Cutout download"])
    ended.start()
    assert second.begin("Host match", wait=60).owner == "run-2"
    ended.join()


def test_a_lease_that_is_over_is_taken_over_and_its_owner_cannot_end_it(
    history: Path, sample: Sample, tmp_path: Path
) -> None:
    first, second = (DataRepo(history).workflow(NAME, owner) for owner in ("run-1", "run-2"))
    first.begin("Cutout download", lease=MOMENT)
    lease = second.begin("Cutout download", wait=60)
    assert (lease.owner, lease.attempts) == ("run-2", 2)
    _, data = change_image(sample, "DES_g", seed=9).write(tmp_path / "new")
    before = run_git(history, "rev-parse", f"refs/workflow/{NAME}")
    with pytest.raises(LostLease, match="this run has lost Cutout download of 2026dgt"):
        first.finish("Cutout download", data=data)
    with pytest.raises(LostLease):
        first.fail("Cutout download", "too late")
    assert run_git(history, "rev-parse", f"refs/workflow/{NAME}") == before
    second.finish("Cutout download")
    with pytest.raises(LostLease, match="has ended"):
        first.finish("Cutout download")


def test_a_lease_that_is_over_and_that_nobody_took_still_ends_well(history: Path) -> None:
    run = DataRepo(history).workflow(NAME, "run-1")
    lease = run.begin("Cutout download", lease=timedelta(microseconds=1))
    while datetime.now(UTC) <= lease.until:
        pass
    run.finish("Cutout download")


def test_of_two_deliveries_of_one_task_the_later_one_ends_it(history: Path) -> None:
    """Celery hands a task to another worker if the first does not say in time that it lives."""
    first, second = (DataRepo(history).workflow(NAME, "run-1") for _ in range(2))
    one = first.begin("Host match")
    two = second.begin("Host match")
    assert one.token != two.token
    with pytest.raises(LostLease):
        first.finish("Host match")
    with pytest.raises(LostLease):
        DataRepo(history).workflow(NAME, "run-1").finish("Host match", token=one.token)
    second.finish("Host match")
    assert subjects(history)[-3:] == [f"{NAME}: begin Host match"] * 2 + [f"{NAME}: post Host match"]


def test_a_lease_can_be_renewed(history: Path) -> None:
    run = DataRepo(history).workflow(NAME, "run-1")
    first = run.begin("Host match", lease=timedelta(minutes=1))
    again = run.begin("Host match", lease=timedelta(hours=1))
    assert again.until > first.until
    run.finish("Host match")


# Clocks


@pytest.mark.parametrize("off", [timedelta(hours=-30), timedelta(hours=30), timedelta(days=4000)])
def test_a_worker_whose_clock_is_wrong_neither_takes_over_nor_waits_for_ever(
    history: Path, off: timedelta, wrong_clock: Callable[[timedelta, str], str]
) -> None:
    """Leases go by the clock of the file system, so the one of the worker does not matter."""
    first = DataRepo(history).workflow(NAME, "run-1")
    first.begin("Cutout download")
    assert "Busy" in wrong_clock(off, "run.begin('Host match')")
    first.finish("Cutout download")
    assert wrong_clock(off, "run.begin('Host match', lease=timedelta(seconds=0.2))") == ""
    assert first.begin("Host match", wait=60).owner == "run-1"


@pytest.fixture
def wrong_clock(history: Path) -> Callable[[timedelta, str], str]:
    """Do something in a process whose own clock is off; return what it raises."""

    def call(off: timedelta, what: str) -> str:
        program = f"""
import time, datetime as module
real = time.time
time.time = lambda: real() + {off.total_seconds()}
class Wrong(module.datetime):
    @classmethod
    def now(cls, zone=None):
        return module.datetime.fromtimestamp(time.time(), zone)
from datetime import timedelta
from blastgit import DataRepo
import blastgit.workflow.lease as lease, blastgit.recording.stages as code
for each in (lease, code):
    each.datetime = type("datetime", (), {{"now": Wrong.now, "fromtimestamp": module.datetime.fromtimestamp}})
from blastgit.errors import BlastgitError
run = DataRepo({str(history)!r}).workflow({NAME!r}, "run-2")
try:
    {what}
except BlastgitError as error:
    print(type(error).__name__)
"""
        env = {**git_environment(), "PYTHONPATH": str(Path(__file__).parents[2])}
        env.pop("GIT_COMMITTER_DATE", None)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env, check=True)
        return done.stdout.strip()

    return call


def test_a_lease_from_the_future_is_over() -> None:
    """It was timed by a clock that has been set back since."""
    now = datetime(2026, 7, 1, tzinfo=UTC)
    lease = Lease("Host match", "run-1", "here", now, now + timedelta(hours=1), "token")
    assert not lease.is_over(now)
    assert not lease.is_over(now - SKEW)
    assert lease.is_over(now - 2 * SKEW)
    assert lease.is_over(now + timedelta(hours=1))
    assert not lease.is_over(now + timedelta(hours=1), margin=2 * SKEW)


# Workers that die


def test_a_worker_that_is_killed_in_a_stage_leaves_a_lease_that_ends(history: Path) -> None:
    def worker() -> None:
        with DataRepo(history).workflow(NAME, "run-1").stage("Cutout download", lease=MOMENT):
            os.kill(os.getpid(), signal.SIGKILL)

    assert run_killed_after(60, worker).killed
    opened = DataRepo(history)
    assert opened.workflow(NAME, "run-2").begin("Cutout download", wait=60).attempts == 2
    assert subjects(history)[-2:] == [f"{NAME}: begin Cutout download"] * 2


def test_killed_at_every_write_step_of_a_stage(history: Path, sample: Sample, tmp_path: Path) -> None:
    _, data = change_image(sample, "DES_g", seed=9).write(tmp_path / "new")

    def work() -> None:
        run = DataRepo(history).workflow(NAME, "run-1")
        run.begin("Cutout download")
        run.finish("Cutout download", data=data)

    step = 0
    while run_killed_at(step, work).killed:
        check(history)
        step += 1
    assert step > 15
    assert subjects(history)[-1] == f"{NAME}: post Cutout download"


def test_killed_at_random_instants(history: Path, sample: Sample, tmp_path: Path) -> None:
    _, data = change_image(sample, "DES_g", seed=9).write(tmp_path / "new")

    def work() -> None:
        run = DataRepo(history).workflow(NAME, "run-1")
        for stage in ("Cutout download", "Host match"):
            run.begin(stage)
            run.finish(stage, data=data)
        run.end()

    longest = 1.2 * time_of(lambda: DataRepo(history).workflow(NAME, "run-1").begin("Host match"))
    for instant in random_instants(25, 6 * longest):
        run_killed_after(instant, work)
        check(history)
    work()
    check(history)


def begin(repo: Path, data: Path | None = None) -> None:
    run = DataRepo(repo).workflow(NAME, "run-1")
    run.begin("Cutout download")
    run.finish("Cutout download", data=data)


def end_changed(repo: Path, data: Path) -> None:
    begin(repo, data)
    DataRepo(repo).workflow(NAME, "run-1").end()


def end_unchanged(repo: Path, data: Path) -> None:
    begin(repo)
    DataRepo(repo).workflow(NAME, "run-1").end()


def drop(repo: Path, data: Path) -> None:
    begin(repo)
    DataRepo(repo).workflow(NAME, "run-1").drop()


@pytest.fixture
def deadly_git(history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git that dies with all who wait for it when it holds the lock of a run's ref that shall go."""
    hook = tmp_path / "deadly/reference-transaction"
    hook.parent.mkdir()
    hook.write_text(f'#!/bin/sh\ngrep -q " 0* refs/workflow/{NAME}" && [ "$1" = prepared ] && kill -9 0\nexit 0\n')
    git = hook.with_name("git")
    git.write_text(f'#!/bin/sh\nexec {shutil.which("git")} -c core.hooksPath={hook.parent} "$@"\n')
    for each in (hook, git):
        each.chmod(0o755)
    monkeypatch.setenv("PATH", f"{hook.parent}:{os.environ['PATH']}")
    return hook


@pytest.mark.parametrize("action", [end_changed, end_unchanged, drop])
def test_killed_while_git_holds_the_refs(
    action: Callable[[Path, Path], None], history: Path, sample: Sample, tmp_path: Path, deadly_git: Path
) -> None:
    _, data = change_image(sample, "DES_g", seed=9).write(tmp_path / "new")
    assert run_killed_after(600, lambda: action(history, data)).killed
    assert [path.name for path in (history / "refs/workflow").glob("*.lock")] == [f"{NAME}.lock"]
    deadly_git.unlink()
    check(history)


def check(repo: Path) -> None:
    """The repo is usable and sound, and nothing of the dead worker is in the way."""
    opened = DataRepo(repo)
    assert opened.verify().problems == []
    assert list((repo / "refs").rglob("*.lock")) == []
    assert list((repo / "blastgit/locks").iterdir()) == []
    assert list((repo / "dvc/tmp").glob("*")) == []
    run_git(repo, "fsck", "--strict", "--connectivity-only")


# Many at once


def test_of_eight_runs_at_once_one_goes_first(history: Path, at_once: Callable[[list[str]], list[str]]) -> None:
    said = at_once(["run.begin('Cutout download'); print('begun')" for _ in range(8)])
    assert sorted(said) == ["Busy"] * 7 + ["begun"]


def test_eight_workers_of_one_run_side_by_side(history: Path, at_once: Callable[[list[str]], list[str]]) -> None:
    stages = [
        "Generate thumbnail", "Transient MWEBV", "Host MWEBV", "Global aperture construction",
        "Local aperture photometry", "Crop transient images", "Generate thumbnail final", "Validate local photometry",
    ]  # fmt: skip
    rows = [f"run.owner = 'one'; run.begin({s!r}); run.finish({s!r}, export={{'metadata': {{}}}})" for s in stages]
    assert at_once(rows) == [""] * 8
    run = Run.of(DataRepo(history).session.repository, NAME)
    assert run is not None
    assert sorted(each.mark.stage for each in run.endings) == sorted(stages)
    assert run.leases == {}


@pytest.fixture
def at_once(history: Path) -> Callable[[list[str]], list[str]]:
    """Do several things in processes of their own that start together; return what each prints."""

    def call(works: list[str]) -> list[str]:
        env = {**git_environment(), "PYTHONPATH": str(Path(__file__).parents[2])}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": env}
        processes = []
        for number, work in enumerate(works):
            program = f"""
import sys
from blastgit import DataRepo
from blastgit.errors import BlastgitError
run = DataRepo({str(history)!r}).workflow({NAME!r}, "run-{number}")
print("ready", flush=True)
sys.stdin.read()
try:
    {work}
except BlastgitError as error:
    print(type(error).__name__)
"""
            processes.append(subprocess.Popen([sys.executable, "-c", program], **pipes))  # type: ignore[call-overload]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.close()
        told = [process.stdout.read().strip() for process in processes]
        for process in processes:
            process.stdout.close()
            assert process.wait() == 0
        return told

    return call


def test_time_is_that_of_the_file_system(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from blastgit.plumbing.locks import hold

    monkeypatch.setattr(time, "time", lambda: 0.0)
    with hold(repo / "blastgit/locks/x", 1) as lock:
        assert repo_time(lock).year >= 2024


@pytest.fixture(autouse=True)
def _no_leftovers(history: Path) -> Iterator[Any]:
    yield
    assert DataRepo(history).verify().problems == []
