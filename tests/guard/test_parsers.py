"""A small part of `python -m benchmarks.reliability parsers`: any input gives a value or an expected error."""

from pathlib import Path

import pytest

from benchmarks.reliability.parsers import try_all


@pytest.mark.slow
def test_every_parser_survives(tmp_path: Path) -> None:
    rows = list(try_all(tmp_path, 230))
    assert [row for row in rows if row.lost] == []
    assert len(rows) > 10
