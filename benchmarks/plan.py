"""Plans of what must run again, for very many transients at once."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import samples
from benchmarks.index import REVISIONS, repo_of_many
from benchmarks.race import Row, Target
from blastgit.api.repo import DataRepo

_SECONDS = 10.0  # that plans of 10,000 transients may take


def planned(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    """Plan many transients of several revisions: as they are, after a change of an input, and with another setting."""
    count = options.planned
    made, _ = repo_of_many(folder, samples.first(), count)
    names = [f"t{number:06}" for number in range(count)]
    limit = _SECONDS * count / 10_000
    for what, changed in (("as they are", []), ("after a change of host.redshift", ["host.redshift"])):
        start = time.perf_counter()
        found = DataRepo(made.path).plan_all(names, changed)
        seconds = time.perf_counter() - start
        if len(found.plans) != (count if changed else 0):
            raise RuntimeError(f"not what is measured here: {len(found.plans)} plans")
        words = f"plan {count:,} transients of {REVISIONS} revisions, {what}"
        yield Row(words, f"{limit:g} s", seconds, limit, seconds / limit, Target(1.0))
