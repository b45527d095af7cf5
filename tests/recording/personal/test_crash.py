"""Writers that record into a personal line, or promote, may be killed at any instant, like any writer."""

import os
import signal

import pytest

from benchmarks.crash import run_killed_after, run_killed_at
from blastgit import DataRepo
from blastgit.plumbing import refs

pytestmark = pytest.mark.slow


def numbers(repo, line):
    found = DataRepo(repo).list("u/*" if line.startswith("u/") else "*")
    return next((each.revision for each in found if each.name == line), -1)


def check(repo):
    assert DataRepo(repo).verify().problems == []
    assert list((repo / "blastgit/locks").iterdir()) == []
    assert list((repo / "dvc/tmp").glob("*")) == []
    assert list((repo / "refs").rglob("*.lock")) == []


def test_killed_at_every_write_step(shelf, tries, me, tmp_path):
    inputs = [sample.write(tmp_path / f"own{i}") for i, sample in enumerate(tries[:2])]
    line = f"u/{me}/2026dgt"
    for number, (export, data) in enumerate(inputs):
        step = 0
        work = lambda: DataRepo(shelf).personal.record("2026dgt", export, data)  # noqa: B023, E731
        while run_killed_at(step, work).killed:
            check(shelf)
            step += 1
            if numbers(shelf, line) == number:
                break
        assert step > 8
        assert work().revision == number
        check(shelf)


def test_promotion_killed_at_every_write_step(own, me):
    step = 0
    work = lambda: DataRepo(own).personal.promote(f"u/{me}/2026dgt@0")  # noqa: E731
    while run_killed_at(step, work).killed:
        check(own)
        step += 1
        if numbers(own, "2026dgt") == 2:
            break
    assert step > 4
    assert work().revision == 2
    check(own)


@pytest.mark.parametrize("applied", [0, 1], ids=["tag without branch", "branch without tag"])
@pytest.mark.parametrize("number", [0, 1])
def test_a_half_applied_transaction_is_rolled_forward(shelf, tries, record_own, me, monkeypatch, applied, number):
    for sample in tries[:number]:
        record_own(shelf, sample)
    real = refs.update_refs

    def half(directory, updates, *rest, **more):
        real(directory, [updates[applied]], *rest, **more)
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr("blastgit.plumbing.refs.update_refs", half)
    assert run_killed_after(60, lambda: record_own(shelf, tries[number])).killed
    monkeypatch.undo()
    check(shelf)
    again = record_own(shelf, tries[number])
    assert (again.status, again.transient, again.revision) == ("unchanged", f"u/{me}/2026dgt", number)
