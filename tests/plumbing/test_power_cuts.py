"""The power goes, at the end of each verb and in the middle: `python -m benchmarks.reliability power` does it often."""

import pytest

from benchmarks.reliability import power

pytestmark = pytest.mark.slow


@pytest.mark.slow
def test_what_is_acknowledged_outlives_a_power_cut() -> None:
    try:
        rows = list(power.sweep(4))
    except power.CannotMount as why:
        pytest.skip(f"no disk to cut the power of: {why}")
    assert len(rows) >= 13
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
