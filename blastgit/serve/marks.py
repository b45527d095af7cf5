"""What is to be known of a revision wherever it is listed: that it failed, is out of date, lacks a file, has a flag."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from blastgit.errors import NotFound
from blastgit.serve.numbers import plural

if TYPE_CHECKING:
    from blastgit.reading.log import Entry
    from blastgit.serve.site import Site

_WITHDRAWN = """
SELECT transient, revision, count(*) FROM files
WHERE is_withdrawn AND list_contains(?::VARCHAR[], transient) GROUP BY ALL
"""
_FLAGS = """
SELECT transient, revision, flag, is_disputed FROM flags
WHERE kind IN ('revision', 'transient') AND part IS NULL AND NOT starts_with(name, 'u/')
AND list_contains(?::VARCHAR[], transient) ORDER BY subject
"""
_LEVELS = {"failed": "bad", "not run": "bad", "out of date": "warn", "answered": "info", "good": "good", "bad": "bad",
           "suspect": "warn"}  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """A word on a row.

    Attributes:
        word: The word: "failed", "withdrawn".
        why: More of it: which stages, how many files.
        level: How it looks: good, info, warn or bad.
    """

    word: str
    why: str = ""
    level: str = "info"

    def to_json(self) -> dict[str, str]:
        """Return it under its stable keys."""
        return {"mark": self.word, "why": self.why, "level": self.level}


def of_status(status: str | None) -> list[Mark]:
    """Return the mark of how a workflow ended, by its status in words; none of one that is complete."""
    word, _, stages = (status or "complete").partition(": ")
    return [] if word == "complete" else [Mark(word, stages, _LEVELS.get(word, "warn"))]


def of_entry(entry: Entry) -> list[Mark]:
    """Return the marks of a revision by its history."""
    marks = of_status(entry.status)
    if marks and entry.failures:
        marks = [replace(marks[0], why="; ".join(map(str, entry.failures)))]
    if entry.withdrawn:
        marks.append(Mark("withdrawn", plural(len(entry.withdrawn), "file"), "bad"))
    if entry.flag:
        word, _, why = entry.flag.partition(" ")
        marks.append(Mark(word, why, _LEVELS.get(word, "info")))
    return marks


def marked(here: Site, rows: Sequence[dict[str, Any]], *, with_drafts: bool = False) -> list[dict[str, Any]]:
    """Return rows of revisions, each with its `marks`.

    Args:
        here: The site.
        rows: Rows with the columns transient, revision and status.
        with_drafts: Whether the rows are the latest of their transients, after which a draft may stand.
    """
    names = sorted({row["transient"] for row in rows if row["transient"]})
    gone = {(name, number): count for name, number, count in here.query(_WITHDRAWN, [names]).rows}
    flags = _flags(here, names)
    found = []
    for row in rows:
        name, number = row["transient"], row["revision"]
        marks = of_status(row.get("status"))
        count = gone.get((name, number), 0)
        if count:
            marks.append(Mark("withdrawn", plural(count, "file"), "bad"))
        marks += [*flags.get((name, None), ()), *flags.get((name, number), ())]
        if with_drafts:
            marks += _draft(here, name)
        found.append({**row, "marks": [each.to_json() for each in marks]})
    return found


def _flags(here: Site, names: Iterable[str]) -> dict[tuple[str, int | None], list[Mark]]:
    found: dict[tuple[str, int | None], list[Mark]] = {}
    for name, number, flag, is_disputed in here.query(_FLAGS, [list(names)]).rows:
        why = "disputed" if is_disputed else ""
        found.setdefault((name, number), []).append(Mark(str(flag), why, _LEVELS.get(str(flag), "info")))
    return found


def _draft(here: Site, name: str) -> list[Mark]:
    """Return the mark of a draft that stands after the latest revision."""
    try:
        kept = here.repo().drafts(name)
    except NotFound:
        return []  # the index knows a transient that is not there any more
    return [Mark("draft", f"a later run is kept as {each.draft}", "warn") for each in kept if each.is_open]
