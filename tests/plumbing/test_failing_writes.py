"""Write operations fail one after the other; `python -m benchmarks.reliability faults` lets each fail in four ways."""

import shutil
import sys

import pytest

from benchmarks.reliability import faults
from benchmarks.reliability.verbs import VERBS

pytestmark = pytest.mark.slow


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("cc") is None or sys.platform != "linux", reason="the library of faults takes Linux and a C compiler"
)
def test_a_disk_that_fails_at_any_write_leaves_the_repo_sound() -> None:
    rows = list(faults.sweep(1))
    assert len(rows) == len(VERBS)
    assert [row for row in rows if row.lost] == []
