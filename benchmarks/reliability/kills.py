"""Kills writers before each of their write steps, and at random instants."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from benchmarks.crash import random_instants, run_killed_after, run_killed_at, time_of
from benchmarks.reliability.bench import NAME, Bench, folder
from benchmarks.reliability.row import Row
from blastgit.demo import refit, small


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """Kill recordings."""
    with folder() as place:
        yield kill_points(Bench(place))
    with folder() as place:
        yield random_kills(Bench(place), options.kills)


def kill_points(bench: Bench) -> Row:
    """Kill a writer before each of its write steps, for a first revision and for a second."""
    tried = survived = 0
    for number in range(2):
        inputs = bench.write(refit(small(NAME), seed=number))
        step = 0
        while run_killed_at(step, lambda inputs=inputs: bench.record(NAME, inputs)).killed:  # type: ignore[misc]
            tried, survived, step = tried + 1, survived + bench.is_whole(), step + 1
            if len(bench.numbers()) > number:
                break
        bench.record(NAME, inputs)
    return Row("kill -9 before every write step", tried, survived, "revisions 0 and 1")


def random_kills(bench: Bench, count: int) -> Row:
    """Kill a writer and its git processes at random instants."""
    inputs = [bench.write(refit(small(NAME), seed=seed)) for seed in range(3)]
    longest = 1.2 * time_of(lambda: bench.record(NAME, inputs[0]))
    killed = survived = 0
    for turn, instant in enumerate(random_instants(count, longest)):
        before = bench.numbers()
        state = inputs[(turn + 1) % 3]
        killed += run_killed_after(instant, lambda state=state: bench.record(NAME, state)).killed  # type: ignore[misc]
        after = bench.numbers()
        survived += after[: len(before)] == before == sorted(set(before)) and (turn % 10 > 0 or bench.is_whole())
    whole = bench.is_whole()
    return Row("kill -9 at random instants", count, survived if whole else 0, f"{killed} met a writer at work")
