"""Checked by mypy in `make lint`: the public API is typed, also for other programs (`py.typed`)."""

from collections.abc import Sequence
from pathlib import Path
from typing import assert_type

from blastgit import DataRepo
from blastgit.maintenance.verify import Report
from blastgit.readers import Arrays, Content
from blastgit.reading.get import GetResult
from blastgit.reading.log import Entry
from blastgit.recording.result import Recorded
from blastgit.search.find import Found


def typed(repo: DataRepo) -> None:
    """Never called."""
    assert_type(repo.record("2026dgt", b"{}", Path("data"), run="runs/a"), Recorded)
    assert_type(repo.log("2026dgt"), Sequence[Entry])
    assert_type(repo.get("2026dgt@0", "folder", only="*.fits"), GetResult)
    assert_type(repo.download("2026dgt@0", dest=Path("folder")), GetResult)
    assert_type(repo.dataset("chain", "2026dgt", aperture="global"), Arrays)
    assert_type(repo.dataset("cutout", "2026dgt", reader="bytes", filter="DES_z"), Content)
    assert_type(repo.query("high_snr_hosts", snr=10), Found)
    assert_type(repo.verify(fast=True), Report)
    repo.verify(quick=True)  # type: ignore[call-arg]
    repo.get(b"2026dgt")  # type: ignore[arg-type]
    repo.dataset("cutout")  # type: ignore[call-overload]
