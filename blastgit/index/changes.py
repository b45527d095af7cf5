"""Compare the rows of two revisions, by the rules that decide whether there is a new revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from blastgit.index.rows import Values
from blastgit.index.tables import tables
from blastgit.revision.compare import same_value
from blastgit.revision.rules import Rules

_BY_APERTURE = {"photometry": 1, "sed": 0, "sfh": 0}
_COMPARED = ("hosts", "apertures", "photometry", "sed", "sfh", "stages")
_IGNORED = "processing_status"  # Blast's progress
_RULES = {"hosts": "host"}  # tables with another name in the rules
_EMPTY = (None, "")


@dataclass(frozen=True, slots=True)
class RevisionRows:
    """The rows of one revision.

    Attributes:
        about: The part of its row in `revisions` that is from its document.
        status: How its stages ended.
        tables: The rows of the other tables, without the columns of the revision.
        filters: The definitions of filters in its document.
    """

    about: Values
    status: str
    tables: dict[str, list[Values]]
    filters: list[Values]


def changes(before: RevisionRows, now: RevisionRows, rules: Rules) -> Iterator[str]:
    """Yield what differs, by its name in the table `changes`: `transient`, `sed/global`, `host`, a file's path."""
    comparison = _Comparison(rules)
    about = [column.name for column in tables()["revisions"].columns[-len(now.about) :]]
    if not comparison.same("transient", about, [before.about], [now.about]):
        yield "transient"
    for table in _COMPARED:
        columns = [column.name for column in tables()[table].columns[3:]]
        old, new = (_grouped(table, each.tables[table]) for each in (before, now))
        for what in sorted(old.keys() | new.keys()):
            if not comparison.same(_RULES.get(table, table), columns, old.get(what, []), new.get(what, [])):
                yield what
    yield from _changed_files(before, now)


def _changed_files(before: RevisionRows, now: RevisionRows) -> Iterator[str]:
    old, new = ({row[0]: row[6] for row in each.tables["files"]} for each in (before, now))
    yield from (path for path in sorted(old.keys() | new.keys()) if old.get(path) != new.get(path))


def _grouped(table: str, rows: list[Values]) -> Mapping[str, list[Values]]:
    """Group rows by their name in the table `changes`."""
    if table not in _BY_APERTURE:
        return {_RULES.get(table, table): rows}
    kind = itemgetter(_BY_APERTURE[table])
    found: dict[str, list[Values]] = {}
    for row in rows:
        found.setdefault(f"{table}/{kind(row)}", []).append(row)
    return found


class _Comparison:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def same(self, table: str, columns: Sequence[str], old: list[Values], new: list[Values]) -> bool:
        """Whether two lists of rows of a table are the same, in any order."""
        if old == new:
            return True
        if len(old) != len(new):
            return False
        rule = self._rules.tables.get(table)
        tolerance = self._rules.tolerance if rule is None else rule.tolerance
        limits = [(tolerance, self._rules.limit(name)) for name in columns]
        if _IGNORED in columns:
            at = columns.index(_IGNORED)
            old, new = ([_without(row, at) for row in rows] for rows in (old, new))
            limits.pop(at)
        if _same_rows(old, new, limits):
            return True
        return len(old) > 1 and _same_rows(sorted(old, key=_order), sorted(new, key=_order), limits)


def _without(row: Values, at: int) -> Values:
    return row[:at] + row[at + 1 :]


def _same_rows(old: list[Values], new: list[Values], limits: Sequence[tuple[float, float]]) -> bool:
    return all(
        _same(before, after, tolerance, limit)
        for one, other in zip(old, new, strict=True)
        for before, after, (tolerance, limit) in zip(one, other, limits, strict=True)
    )


def _same(old: Any, new: Any, tolerance: float, limit: float) -> bool:
    return (old in _EMPTY and new in _EMPTY) or same_value(old, new, tolerance, limit)


def _order(row: Values) -> tuple[str, ...]:
    return tuple(str(value) for value in row[:3])
