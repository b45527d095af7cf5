"""Comparing two natural forms, value by value: exact, but for floats within a relative tolerance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from math import inf, isfinite, isnan, log10

from blastgit.revision.document import Json, nonfinite_name
from blastgit.revision.normalise import Key, NaturalForm, Row
from blastgit.revision.quantities import NAME, RATIO, Quantity, error_in, in_sigma, in_widths, number, quantity_of
from blastgit.revision.rules import Rules, Table

_EXACT = 1 << 53  # up to which a double holds every integer


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
        twin: The number of the row among those of its key; nearly always 1.
        sigma: The difference in units of both errors, added in quadrature; None if the rows have no errors.
        deviation: For sampled values under `equal_within`: the difference in units of the width published before.
    """

    table: str
    key: Key
    field: str
    old: Json
    new: Json
    row: str = "changed"
    known: bool = True
    twin: int = 1
    sigma: float | None = None
    deviation: float | None = None

    @property
    def path(self) -> str:
        """The natural path of the value: `photometry/2010H_SDSS_r_global/SDSS_r.flux`."""
        return f"{Row(self.table, self.key, {}, self.twin).path}.{self.field}"

    @property
    def quantity(self) -> Quantity:
        """Unit, scale and error of the field's numbers."""
        return quantity_of(self.field)

    @property
    def difference(self) -> float | None:
        """New minus old, in the unit of the difference; None unless both are finite numbers and not identifiers."""
        if self.quantity.scale == NAME or number(self.old) is None or number(self.new) is None:
            return None
        change = self.new - self.old
        return change if isfinite(change) else None

    @property
    def relative(self) -> float | None:
        """The relative change `(new - old) / |old|`; None where it has no meaning, as for magnitudes and logarithms."""
        if self.difference is None or self.quantity.scale != RATIO or self.old == 0:
            return None
        change = self.difference / abs(self.old)
        return change if isfinite(change) else None

    @property
    def unit(self) -> str | None:
        """The physical unit of both values, as astropy writes it, or None if they have none."""
        return self.quantity.unit

    @property
    def size(self) -> str:
        """The size of the change in words: `+3 %, +12 sigma`, `-0.04 mag`, `+0.17 dex`; "" if it is not a number."""
        difference, unit = self.difference, self.quantity.unit_of_difference
        if difference is None:
            return ""
        said = percent(self.relative) if self.relative is not None else f"{difference:+.3g}{f' {unit}' if unit else ''}"
        if self.sigma is None:
            return said
        digits = "+.2g" if abs(self.sigma) < 100 else "+.0f"
        return f"{said}, {self.sigma:{digits}} sigma"

    def to_json(self) -> dict[str, Json]:
        """Return the change under its stable keys, with non-finite numbers as strings."""
        return {
            "path": self.path, "old": jsonable(self.old), "new": jsonable(self.new), "relative": self.relative,
            "unit": self.unit, "difference": self.difference,
            "difference_unit": None if self.difference is None else self.quantity.unit_of_difference,
            "sigma": self.sigma,
        }  # fmt: skip


def compare(old: NaturalForm, new: NaturalForm, rules: Rules) -> list[FieldChange]:
    """Return every value that differs, in the order of the rules' tables and of the natural paths."""
    changes: list[FieldChange] = []
    for name, table in rules.tables.items():
        after = new.tables.get(name, [])
        before = _number_alike(old.tables.get(name, []), after, table, rules)
        for pair in sorted(_pair(before, after, rules), key=lambda pair: (pair[0] or pair[1] or _NOTHING).path):
            changes += _compare_rows(*pair, table, rules)
    return changes


_NOTHING = Row("", (), {})


def _number_alike(rows: list[Row], others: list[Row], table: Table, rules: Rules) -> list[Row]:
    """Give each twin the number of the one it equals: numbered by their values alone, noise could swap two of them."""
    if all(row.twin == 1 for row in (*rows, *others)):
        return rows
    left: dict[str, list[Row]] = {}
    for other in others:
        left.setdefault(other.name, []).append(other)
    given: dict[int, int] = {}
    for equal in (True, False):  # those that equal none take the remaining numbers
        for at, row in enumerate(rows):
            free = [each for each in left.get(row.name, []) if each.key == row.key and at not in given]
            match = next((each for each in free if not (equal and any(_compare_rows(row, each, table, rules)))), None)
            if match is not None:
                given[at] = match.twin
                left[row.name].remove(match)
    return [replace(row, twin=number) for row, number in zip(rows, _fill(rows, given), strict=True)]


def _fill(rows: list[Row], given: Mapping[int, int]) -> Iterator[int]:
    """Yield the number of each row: the one given to it, else the lowest that none of its twins has."""
    taken = {(rows[at].name, number) for at, number in given.items()}
    for at, row in enumerate(rows):
        number = given.get(at) or next(n for n in count(1) if (row.name, n) not in taken)
        taken.add((row.name, number))
        yield number


def _pair(old: list[Row], new: list[Row], rules: Rules) -> Iterator[tuple[Row | None, Row | None]]:
    """Pair rows by key; a number in a key (the age of an SFH bin) may vary within the tolerance like any other."""
    left = {(row.key, row.twin): row for row in old}
    unmatched = []
    for row in new:
        match = left.pop((row.key, row.twin), None)
        if match is None:
            unmatched.append(row)
        else:
            yield match, row
    for row in unmatched:
        near = (
            name for name in left if name[1] == row.twin and same_value(list(name[0]), list(row.key), rules.tolerance)
        )
        close = next(near, None)
        yield (left.pop(close) if close is not None else None), row
    for row in left.values():
        yield row, None


def _compare_rows(old: Row | None, new: Row | None, table: Table, rules: Rules) -> Iterator[FieldChange]:
    row = old or new
    assert row is not None
    state = "added" if old is None else "removed" if new is None else "changed"
    before, after = (old.values if old else {}), (new.values if new else {})
    for field in {**before, **after}:
        was, now = before.get(field), after.get(field)
        if state == "changed" and type(was) is type(now) and was == now and not isinstance(was, list | dict):
            continue  # nearly always
        if state != "changed" or not same_value(was, now, table.tolerance, rules.limit(field)):
            change = FieldChange(row.table, row.key, field, was, now, state, table.knows(field), row.twin)
            yield change if change.difference is None else _with_sigma(change, before, after, table)


def _with_sigma(change: FieldChange, old: Mapping[str, Json], new: Mapping[str, Json], table: Table) -> FieldChange:
    assert change.difference is not None
    errors = error_in(old, change.field), error_in(new, change.field)
    deviation = None if table.equal_within is None else _deviation(change, old, table)
    return replace(change, sigma=in_sigma(change.difference, errors), deviation=deviation)


def _deviation(change: FieldChange, old: Mapping[str, Json], table: Table) -> float | None:
    posterior = table.factors.get(change.field)
    if posterior is None:
        return in_widths(number(change.difference), error_in(old, change.field))
    if change.old <= 0 or change.new <= 0:
        return None
    return in_widths(log10(change.new) - log10(change.old), error_in(old, f"{posterior}_50"))


def same_value(old: Json, new: Json, tolerance: float, limit: float = inf) -> bool:
    """Whether two values are equal: NaN equals NaN, infinities only themselves, floats within the tolerance.

    Args:
        old: One value.
        new: The other value.
        tolerance: How far apart floats may be, relative to the larger one.
        limit: How far apart they may be at most, in their unit.
    """
    if type(old) is type(new) and old == new and not isinstance(old, list | dict):
        return True  # nearly always
    if _is_number(old) and _is_number(new):
        return _same_number(old, new, tolerance, limit)
    if isinstance(old, list) and isinstance(new, list):
        pairs = zip(old, new, strict=False)
        return len(old) == len(new) and all(same_value(a, b, tolerance, limit) for a, b in pairs)
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(same_value(old[key], new[key], tolerance, limit) for key in old)
    return type(old) is type(new) and bool(old == new)


def _same_number(old: float, new: float, tolerance: float, limit: float) -> bool:
    if not (isfinite(old) and isfinite(new)):
        return old == new or (isnan(old) and isnan(new))
    if isinstance(old, int) and isinstance(new, int):
        return old == new
    if any(isinstance(value, int) and abs(value) > _EXACT for value in (old, new)):
        return old == new  # exactly, as Python compares an integer with a fraction
    return abs(old - new) <= min(tolerance * max(abs(old), abs(new)), limit)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def percent(relative: float) -> str:
    """Return a relative change as people read it: `+3 %`."""
    return f"{100 * relative:+.3g} %"


def jsonable(value: Json) -> Json:
    """Return a value that strict JSON can hold: NaN and infinities as strings."""
    if isinstance(value, float) and not isfinite(value):
        return nonfinite_name(value)
    return [jsonable(item) for item in value] if isinstance(value, list) else value
