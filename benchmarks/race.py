"""Timing of control and candidates in turns, so that other load on the machine affects all of them."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

Step = Callable[[int], object]
"""The function that is timed; its argument is the number of the round (0 for the warm-up), for separate folders."""

CONTROL = "control"


@dataclass(frozen=True)
class Target:
    """The limit of a ratio: at most `limit` times the control's time, or at least `limit` times as fast."""

    limit: float
    faster: bool = False

    def __str__(self) -> str:
        """Text such as `<= 1.3 x` or `>= 15 x faster`."""
        return f">= {self.limit:g} x faster" if self.faster else f"<= {self.limit:g} x"

    def is_met(self, ratio: float) -> bool:
        """Whether a ratio (candidate by control) meets the target."""
        return ratio * self.limit <= 1 if self.faster else ratio <= self.limit


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        what: The action of blastgit.
        control: The control that it is compared with.
        seconds: The median of blastgit's times; for memory, bytes.
        control_seconds: The median of the control's.
        ratio: The median of the ratios within a round; None if there is no control.
        target: The target of the ratio; None for a row without one.
        unit: "ms" or "MB".
    """

    what: str
    control: str
    seconds: float
    control_seconds: float | None = None
    ratio: float | None = None
    target: Target | None = None
    unit: str = "ms"

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None if there is none."""
        return None if self.target is None or self.ratio is None else self.target.is_met(self.ratio)


@dataclass(frozen=True)
class Times:
    """The times of one contestant, round by round, in seconds."""

    own: list[float]
    control: list[float]

    def row(self, what: str, control: str, target: Target | None = None) -> Row:
        """Return the line of the table."""
        ratios = [own / other for own, other in zip(self.own, self.control, strict=True)]
        return Row(what, control, median(self.own), median(self.control), median(ratios), target)


def race(
    control: Step, candidates: Mapping[str, Step], rounds: int, *, prepare: Step = lambda _: None
) -> dict[str, Times]:
    """Time a control and its candidates alternately.

    Each round runs the control and then every candidate in the given order; candidates may build on each other. Pending
    writes to disk are flushed before each is timed, so that none is slowed down by the data of another.

    Args:
        control: The control that the others are compared with.
        candidates: The candidates by name.
        rounds: How many rounds count; one more is run first as a warm-up.
        prepare: Called before each round, without being timed.
    """
    steps = {CONTROL: control, **candidates}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        prepare(number)
        for name, step in steps.items():
            taken = _time(step, number)
            if number:
                times[name].append(taken)
    return {name: Times(times[name], times[CONTROL]) for name in candidates}


def _time(step: Step, number: int) -> float:
    os.sync()
    gc.collect()
    start = time.perf_counter()
    step(number)
    return time.perf_counter() - start


def time_alone(step: Step, rounds: int) -> float:
    """Return the median time of something that has no control."""
    return median([_time(step, number) for number in range(rounds + 1)][1:])
