"""A measured number: a key, the value, its unit."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from blastgit.errors import InvalidInput
from blastgit.naming.nearest import did_you_mean

Value = float | int | bool

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_UNIT = re.compile(r"[A-Za-z0-9%][A-Za-z0-9%_.*/^() +-]{0,59}")
_LARGEST = 2**53  # integers beyond it are not the same in every program that reads JSON


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        key: What was measured, `astrometry.rms`.
        value: A number, or whether something holds.
        unit: The unit, as the VOUnit standard and astropy write it; "" for a plain number.
    """

    key: str
    value: Value
    unit: str = ""

    def __str__(self) -> str:
        value = str(self.value).lower() if isinstance(self.value, bool) else repr(self.value)
        return f"{self.key} = {value}{' ' if self.unit else ''}{self.unit}"

    def check(self) -> None:
        """Check that it is valid. Only the characters of the unit are checked; see `check_unit`.

        Raises:
            InvalidInput: It is not; the error says why.
        """
        if not _KEY.fullmatch(self.key):
            raise InvalidInput(
                f"{self.key[:80]!r} is not a key of a metric: up to 64 letters, digits and _.-, a letter first"
            )
        if not isinstance(self.value, bool):
            if isinstance(self.value, int) and abs(self.value) > _LARGEST:
                raise InvalidInput(f"{self.key} is {self.value}: an integer beyond 2**53 is not the same everywhere")
            if not math.isfinite(self.value):
                raise InvalidInput(f"{self.key} is {self.value}: what could not be measured is left out")
        elif self.unit:
            raise InvalidInput(f"{self.key} is {str(self.value).lower()}, which has no unit")
        if self.unit and not _UNIT.fullmatch(self.unit):
            raise InvalidInput(f"{self.unit[:80]!r} is not a unit: write it like mag, arcsec, erg / (s cm2)")

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys, without empty fields."""
        return {"key": self.key, "value": self.value} | ({"unit": self.unit} if self.unit else {})


def read_metric(value: dict[str, Any]) -> Metric:
    """Read a metric from JSON.

    Raises:
        InvalidInput: It is not one.
    """
    if not {"key", "value"} <= value.keys() <= {"key", "value", "unit"}:
        raise InvalidInput("a metric has key and value, and may have unit")
    key, number, unit = value["key"], value["value"], value.get("unit", "")
    if not isinstance(key, str) or not isinstance(unit, str) or not isinstance(number, int | float):
        raise InvalidInput("key and unit of a metric are text, and its value a number, true or false")
    return Metric(key, number, unit)


def read_value(text: str) -> Value:
    """Read a value as people write it: `0.031`, `12`, `true`.

    Raises:
        InvalidInput: It is not a number, true or false.
    """
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return int(text) if re.fullmatch(r"[+-]?[0-9]{1,400}", text) else float(text)
    except ValueError:
        raise InvalidInput(f"{text[:80]!r} is not a value of a metric: a number, true or false") from None


def check_unit(unit: str) -> str:
    """Return a unit if astropy knows it; without astropy, any unit passes.

    Raises:
        InvalidInput: The unit is unknown; the error names the nearest.
    """
    try:
        from astropy import units
    except ImportError:
        return unit
    try:
        units.Unit(unit)
    except (ValueError, TypeError):
        usual = ["mag", "arcsec", "deg", "pix", "adu", "electron", "Jy", "uJy", "Angstrom"]
        hint = did_you_mean(unit, usual, "write it like mag, arcsec, erg / (s cm2)")
        raise InvalidInput(f"there is no unit {unit!r}{hint}") from None
    return unit
