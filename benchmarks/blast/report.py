"""The table of events, and what the task takes of a worker, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Seen:
    """What an event came to.

    Attributes:
        number: Its place in the life.
        what: What happened.
        expected: What it has to come to.
        said: What it came to.
        holds: Whether that is so.
        seconds: How long it took.
    """

    number: int
    what: str
    expected: str
    said: str
    holds: bool
    seconds: float


def table(seen: Sequence[Seen]) -> str:
    """Return the events as a Markdown table, and a line that counts them."""
    lines = ["| | event | has to come to | came to | s |", "|--:|---|---|---|--:|"]
    for each in seen:
        said = " ".join(each.said.replace("|", "/").split())
        verdict = said if each.holds else f"**NOT: {said[:400]}**"
        lines.append(f"| {each.number} | {each.what} | {each.expected} | {verdict} | {each.seconds:.0f} |")
    held = sum(each.holds for each in seen)
    return "\n".join([*lines, "", f"{held} of {len(seen)} events came to what they have to."])


def cost_lines(cost: Mapping[str, float | None]) -> str:
    """Return what the task takes of a worker, in words."""
    lines = []
    for key, what in (("first", "a first revision"), ("again", "a run that changed nothing")):
        seconds = cost[key]
        lines.append(f"processor time that the task takes for {what}: {'-' if seconds is None else f'{seconds:.2f} s'}")
    before, more = (cost["before"] or 0) / 1e6, (cost["memory"] or 0) / 1e6
    return "\n".join([*lines, f"memory that it adds to a worker's process of {before:.0f} MB: {more:.0f} MB"])
