"""`stilts taplint` finds no error, and only the warnings that docs/tap.md explains."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parents[3] / "docs/tap.md"


@pytest.fixture(scope="module")
def report(service) -> str:
    if shutil.which("stilts") is None:
        pytest.skip("stilts is not installed (Debian: apt-get install stilts)")
    done = subprocess.run(
        ["stilts", "-Djava.net.useSystemProxies=false", "taplint", f"tapurl={service.tap}"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    return done.stdout


def test_there_is_no_error(report):
    assert [line for line in report.splitlines() if line.startswith("E-")] == []
    assert re.search(r"^Totals: Errors: 0;", report, re.MULTILINE), report


def test_every_warning_is_explained(report):
    told = PAGE.read_text("utf-8")
    codes = set(re.findall(r"^([WF]-[A-Z]+-[A-Z0-9]+)-\d", report, re.MULTILINE))
    assert {code for code in codes if f"`{code}`" not in told} == set()
