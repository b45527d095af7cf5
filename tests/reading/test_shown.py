"""Whatever makes a revision is shown by `diff`, in a line whose two sides look different."""

import contextlib
import io
import random
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.effects import FILES, altered, fields, mixed
from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.demo import Sample, small
from blastgit.repository.init import init

pytestmark = pytest.mark.slow

NAME = "2026dgt"
VALUE = re.compile(r"  \S.*?  +(?P<old>\S.*?)  ->  (?P<new>\S.*?)(?:  .*)?")
FILE = re.compile(r"  (?P<change>added|removed|changed)  +(?P<path>\S+)(?:  +(?P<how>.*))?")


def change(sample: Sample, chance: random.Random) -> Sample:
    """Alter some fields in ways that are hard to see, or a file, or only what says nothing new."""
    kind = chance.choice(("fields", "file", "both", "nothing"))
    if kind == "nothing":
        return mixed(sample, chance)[0]
    if kind != "file":
        for field in chance.sample(fields(sample), chance.randint(1, 3)):
            sample = altered(sample, field, chance)
    if kind != "fields":
        end, rewrite = FILES[chance.choice(sorted(FILES))]
        path = next(path for path in sample.files if path.endswith(end))
        with contextlib.suppress(AssertionError):  # the card that it replaces was replaced before
            sample = Sample(sample.export, {**sample.files, path: rewrite(sample.files[path])})
    return sample


def told(repo: Path, number: int) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main(["-C", str(repo), "diff", f"{NAME}@{number - 1}", f"{NAME}@{number}", "--full", "--exit-code"])
    return code, out.getvalue()


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=4))
def test_a_difference_that_made_a_revision_is_shown(seeds: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        repo, sample, latest = Path(folder) / "repo", small(NAME), 0
        init(repo, simulated=True)
        DataRepo(repo).record(NAME, *sample.write(Path(folder) / "first"))
        for turn, seed in enumerate(seeds):
            new = change(sample, random.Random(seed))
            new.export["metadata"]["export_time"] = f"2026-07-0{turn + 1}T00:00:00+00:00"
            done = DataRepo(repo).record(NAME, *new.write(Path(folder) / str(turn)))
            if done.status == "unchanged":
                continue
            latest, sample = latest + 1, new
            assert done.revision == latest
            assert done.reason != "no change"
            code, text = told(repo, latest)
            values = [found for line in text.splitlines() if (found := VALUE.fullmatch(line))]
            files = [found for line in text.splitlines() if (found := FILE.fullmatch(line))]
            assert code == 1
            assert values or files, text
            assert not [found[0] for found in values if found["old"].strip() == found["new"].strip()], text
            assert not [found[0] for found in files if found["change"] == "changed" and not found["how"]], text
            assert "largest 0," not in text
