"""Tests with many concurrent writers."""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.reliability.bench import NAME, Bench, Inputs, folder
from benchmarks.reliability.row import Row
from blastgit import DataRepo
from blastgit.demo import refit, small


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """Have 1 to `--writers` of them record, on one transient and each on its own."""
    for same in (True, False):
        writers = 1
        while writers <= options.writers:
            with folder() as place:
                yield many_writers(place, writers, same=same)
            writers *= 2


def many_writers(place: Path, writers: int, *, same: bool, each: int = 12) -> Row:
    """Let several processes record at once, on one transient or each on its own."""
    bench = Bench(place)
    jobs = []
    for writer in range(writers):
        name = NAME if same else f"2026w{writer}"
        base = small(name, seed=writer)
        jobs.append((bench, name, [bench.write(refit(base, seed=100 * writer + i)) for i in range(each)]))
    start = time.perf_counter()
    with multiprocessing.get_context("fork").Pool(writers) as pool:
        pool.map(_record_all, jobs, chunksize=1)
    seconds = time.perf_counter() - start
    opened = DataRepo(bench.repo)
    found = sum((entry.revision or 0) + 1 for entry in opened.list())
    where = "one transient" if same else "many transients"
    rate = f"{writers * each / seconds:.0f} records a second"
    return Row(f"{writers} writers on {where}", writers * each, found if bench.is_whole() else 0, rate)


def _record_all(job: tuple[Bench, str, list[Inputs]]) -> None:
    bench, name, states = job
    for inputs in states:
        bench.record(name, inputs)
