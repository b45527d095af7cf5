"""What the numbers of rows mean: their units, how a difference of two is shown, and which field has their errors."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from math import hypot, isfinite
from typing import NamedTuple

from blastgit.revision.document import Json
from blastgit.safe_yaml import load_shipped

RATIO, MAG, DEX, INTERVAL, NAME = "ratio", "mag", "dex", "interval", "name"
"""How a difference is shown; `quantities.yaml` explains each."""

_PERCENTILES = ("_16", "_50", "_84")


class Quantity(NamedTuple):
    """What the numbers of a field mean.

    Attributes:
        unit: Their unit, as astropy writes it; None if they have none.
        scale: How a difference is shown.
        error: The field with the error of each; "" if there is none.
    """

    unit: str | None = None
    scale: str = RATIO
    error: str = ""

    @property
    def unit_of_difference(self) -> str | None:
        """The unit of the difference of two."""
        return self.scale if self.scale in (MAG, DEX) else self.unit


@cache
def quantity_of(field: str) -> Quantity:
    """Return what the numbers of a field mean."""
    return next((each for pattern, each in _quantities().items() if fnmatchcase(field, pattern)), Quantity())


def unit_of(field: str) -> str | None:
    """Return the unit of a field of a row, as astropy writes it; None if it has none."""
    return quantity_of(field).unit


def error_in(row: Mapping[str, Json], field: str) -> float | None:
    """Return the error of a value, from the other fields of its row; None if they hold none."""
    if field.endswith(_PERCENTILES):
        low, high = (number(row.get(f"{field[:-3]}{end}")) for end in ("_16", "_84"))
        return None if low is None or high is None else (high - low) / 2
    return number(row.get(quantity_of(field).error))


def in_sigma(difference: float, errors: tuple[float | None, float | None]) -> float | None:
    """Return a difference in units of both errors, added in quadrature; None unless both are known."""
    one, other = errors
    if one is None or other is None or not hypot(one, other):
        return None
    found = difference / hypot(one, other)
    return found if isfinite(found) else None


def in_widths(difference: float | None, width: float | None) -> float | None:
    """Return a difference without its sign in units of a width; None if either is unknown, or the width 0."""
    if difference is None or width is None or width <= 0:
        return None
    found = abs(difference) / width
    return found if isfinite(found) else None


def number(value: Json) -> float | None:
    """Return a value if it is a finite number."""
    try:
        found = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    except OverflowError:
        return None
    return found if found is not None and isfinite(found) else None


@cache
def _quantities() -> Mapping[str, Quantity]:
    return {pattern: Quantity(**facts) for pattern, facts in load_shipped(__file__, "quantities.yaml").items()}
