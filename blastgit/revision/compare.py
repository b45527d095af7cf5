"""Comparing two natural forms, value by value: exact, but for floats within a relative tolerance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isclose, isfinite, isnan
from typing import Any

from blastgit.revision.document import Json, nonfinite_name
from blastgit.revision.normalise import Key, NaturalForm, Row
from blastgit.revision.rules import Rules


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One value that differs between two states.

    Attributes:
        table: The table of the row, as in `rules.yaml`.
        key: The natural key of the row.
        field: The field.
        old: The value before, None if it was empty or missing.
        new: The value after, likewise.
        row: "added" or "removed" when the whole row is; else "changed".
        known: Whether the rules know the field; others came with a newer Blast.
    """

    table: str
    key: Key
    field: str
    old: Json
    new: Json
    row: str = "changed"
    known: bool = True

    @property
    def path(self) -> str:
        """The natural path of the value: `photometry/2010H_SDSS_r_global/SDSS_r.flux`."""
        return f"{Row(self.table, self.key, {}).path}.{self.field}"

    @property
    def relative(self) -> float | None:
        """The relative change `(new - old) / |old|`, or None where that makes no sense."""
        if not (_is_number(self.old) and _is_number(self.new)) or self.old == 0:
            return None
        change = (self.new - self.old) / abs(self.old)
        return change if isfinite(change) else None

    def to_json(self) -> dict[str, Json]:
        """Return `{"path", "old", "new", "relative"}`, with non-finite numbers as strings."""
        return {"path": self.path, "old": jsonable(self.old), "new": jsonable(self.new), "relative": self.relative}


def compare(old: NaturalForm, new: NaturalForm, rules: Rules) -> list[FieldChange]:
    """Return every value that differs, in the order of the rules' tables and of the natural paths."""
    changes: list[FieldChange] = []
    for name, table in rules.tables.items():
        pairs = _pair(old.tables.get(name, []), new.tables.get(name, []), rules.tolerance)
        for before, after in sorted(pairs, key=lambda pair: (pair[0] or pair[1] or _NOTHING).path):
            changes += _compare_rows(before, after, table.tolerance, table.knows)
    return changes


_NOTHING = Row("", (), {})


def _pair(old: list[Row], new: list[Row], tolerance: float) -> Iterator[tuple[Row | None, Row | None]]:
    """Pair rows by key; a number in a key (the age of an SFH bin) may wobble like any other."""
    left = {row.key: row for row in old}
    unmatched = []
    for row in new:
        match = left.pop(row.key, None)
        if match is None:
            unmatched.append(row)
        else:
            yield match, row
    for row in unmatched:
        close = next((key for key in left if same_value(list(key), list(row.key), tolerance)), None)
        yield (left.pop(close) if close is not None else None), row
    for row in left.values():
        yield row, None


def _compare_rows(old: Row | None, new: Row | None, tolerance: float, knows: Any) -> Iterator[FieldChange]:
    row = old or new
    assert row is not None
    state = "added" if old is None else "removed" if new is None else "changed"
    before, after = (old.values if old else {}), (new.values if new else {})
    for field in {**before, **after}:
        was, now = before.get(field), after.get(field)
        if state != "changed" or not same_value(was, now, tolerance):
            yield FieldChange(row.table, row.key, field, was, now, state, knows(field))


def same_value(old: Json, new: Json, tolerance: float) -> bool:
    """Whether two values are equal: NaN equals NaN, infinities only themselves, floats within the tolerance."""
    if type(old) is type(new) and old == new and not isinstance(old, list | dict):
        return True  # nearly always
    if _is_number(old) and _is_number(new):
        return _same_number(old, new, tolerance)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(same_value(a, b, tolerance) for a, b in zip(old, new, strict=True))
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(same_value(old[key], new[key], tolerance) for key in old)
    return type(old) is type(new) and bool(old == new)


def _same_number(old: float, new: float, tolerance: float) -> bool:
    if not (isfinite(old) and isfinite(new)):
        return old == new or (isnan(old) and isnan(new))
    if isinstance(old, int) and isinstance(new, int):
        return old == new
    return isclose(old, new, rel_tol=tolerance, abs_tol=0.0)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def jsonable(value: Json) -> Json:
    """Return a value that strict JSON can hold: NaN and infinities as strings."""
    if isinstance(value, float) and not isfinite(value):
        return nonfinite_name(value)
    return [jsonable(item) for item in value] if isinstance(value, list) else value
