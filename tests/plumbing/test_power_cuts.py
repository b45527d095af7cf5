"""Power cuts after and during each verb; `python -m benchmarks.reliability power` simulates many."""

import os
from pathlib import Path

import pytest

from benchmarks.reliability import power
from benchmarks.reliability.scene import apart
from benchmarks.reliability.verbs import VERBS
from blastgit.plumbing.locks import Journal, hold

pytestmark = pytest.mark.slow


@pytest.mark.slow
def test_what_is_acknowledged_outlives_a_power_cut() -> None:
    try:
        rows = list(power.sweep(2))
    except power.CannotMount as why:
        pytest.skip(f"no disk to cut the power of: {why}")
    assert len(rows) == len(VERBS)
    assert [row for row in rows if row.lost] == []


@pytest.mark.slow
def test_the_cut_takes_away_what_was_not_synced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the test above would prove nothing."""
    monkeypatch.setattr("blastgit.plumbing.refs._Move.confirm", lambda _: None)
    try:
        (row,) = power.sweep(1, ["record, revision 1"])
    except power.CannotMount as why:
        pytest.skip(f"no disk to cut the power of: {why}")
    assert row.lost


@pytest.mark.slow
@pytest.mark.parametrize("is_known", [True, False], ids=["that holds an id", "that is empty"])
def test_a_lock_of_git_that_reached_the_disk_is_known_for_whose_it_is(is_known: bool) -> None:
    """Git syncs each lock before it goes on, so the journal that announces it has to be on disk first."""

    def lock() -> str:
        repo, ref = disk.scene.repo, "refs/heads/2026dgt"
        with hold(repo / "blastgit/locks/2026dgt", 1) as held:
            held.announce(Journal.own(refs={ref: "a" * 40}))
            _as_git_locks(repo / f"{ref}.lock", f"{'a' * 40}\n" if is_known else "")
            disk.cut()
            os._exit(0)

    try:
        with power.new_disk() as disk:
            for options in power.OPTIONS:
                disk.reset()
                with disk.mounted(options):
                    apart(lock)
                with disk.mounted(options):
                    assert (disk.scene.repo / "refs/heads/2026dgt.lock").exists()
                    assert disk.problem(VERBS[0], acknowledged=False) == ""
    except power.CannotMount as why:
        pytest.skip(f"no disk to cut the power of: {why}")


def _as_git_locks(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.write(descriptor, text.encode())
    os.fsync(descriptor)
    os.close(descriptor)
