"""Releases: freezing, verifying (without file contents) and citing a collection of some hundred revisions."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks.race import Row, time_alone
from blastgit import DataRepo
from blastgit.demo import small

_LIMIT = 3  # rounds: each freezes all of it again


def released(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    """Freeze, verify and cite, in a repo with a revision of each of some transients."""
    names = [f"2026x{number:05}" for number in range(options.transients)]
    repo = DataRepo.init(folder / "repo", simulated=True)
    for name in names:
        export, data = small(name).write(folder / "in" / name)
        repo.record(name, export, data)
    repo.maintain()
    repo.collections.create("sample", "TAGGED", "measure")
    repo.collections.add("sample", [f"{name}@0" for name in names], "measure")
    rounds = min(options.rounds, _LIMIT)
    for what, step in {
        "freeze": lambda number: repo.releases.freeze("sample", str(number)),
        "verify": lambda _: repo.releases.verify("release/sample/0", fast=True),
        "cite": lambda _: repo.releases.cite("release/sample/0"),
    }.items():
        yield Row(f"{what} a release of {len(names):,} revisions", "", time_alone(step, rounds))
