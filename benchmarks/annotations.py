"""Annotations: listing ten thousand of them, and annotating ten thousand subjects in one call."""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.race import Row, Target, race, time_alone
from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody

COUNT = 10_000
LIMIT = 1.0
"""Seconds that listing them may take."""


def annotated(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    """List annotations of ten thousand subjects, and of one; annotate ten thousand subjects at once."""
    spread, heaped = folder / "spread", folder / "heaped"
    room = DataRepo.init(spread, simulated=True).annotations
    room.add(
        [f"2026x{number:05}" for number in range(COUNT)], AnnotationBody(comment="clouds in the west", flag="suspect")
    )
    rows = "".join(
        json.dumps({"subject": "2026heap", "comment": f"remark {number}", "tags": ["clouds"]}) + "\n"
        for number in range(COUNT)
    )
    DataRepo.init(heaped, simulated=True).annotations.take_in(rows.encode())

    def read(_: int) -> None:
        subprocess.run(["git", "-C", spread, "archive", "annotations", "-o", folder / "x.tar"], check=True)

    def listing(repo: Path) -> None:
        assert len(DataRepo(repo).annotations.list().notes) == COUNT

    for name, repo in (("of 10,000 subjects", spread), ("of one subject", heaped)):
        seconds = time_alone(lambda _, repo=repo: listing(repo), options.rounds)  # type: ignore[misc]
        yield Row(f"list 10,000 annotations {name}", "1 s", seconds, LIMIT, seconds / LIMIT, Target(1.0))
    times = race(read, {"list": lambda _: listing(spread)}, options.rounds)
    yield times["list"].row("list 10,000 annotations", "git archive of the branch")
    seconds = time_alone(lambda number: _say(folder / f"say{number}"), options.rounds)
    yield Row("annotate 10,000 subjects at once", "", seconds)
    seconds = time_alone(lambda number: _one_more(spread, number), options.rounds)
    yield Row("annotate one more beside 10,000", "", seconds)


def _say(repo: Path) -> None:
    subjects = [f"2026x{number:05}" for number in range(COUNT)]
    DataRepo.init(repo, simulated=True).annotations.add(subjects, AnnotationBody(flag="bad"))


def _one_more(repo: Path, number: int) -> None:
    DataRepo(repo).annotations.add(["2026x00000"], AnnotationBody(comment=f"once more {number}"))
