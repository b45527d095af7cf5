"""Read angles as people write them: in degrees, sexagesimal, or with a unit."""

from __future__ import annotations

import math
import re
from typing import NoReturn

from blastgit.errors import InvalidInput

_NUMBER = r"[0-9]+\.?[0-9]*|\.[0-9]+"
_DECIMAL = re.compile(rf"([+-]?(?:{_NUMBER})(?:[eE][+-]?[0-9]+)?)\s*(d|deg|°)?")
_SEXAGESIMAL = re.compile(
    rf"(?P<sign>[+-]?)\s*(?P<whole>[0-9]+)(?P<mark>\s*[:hd°]\s*|\s+)(?P<minutes>[0-9]+)"
    rf"(?:(?:\s*[:m'′]\s*|\s+)(?P<seconds>{_NUMBER})\s*(?:s|\"|″|'')?|\s*[m'′])?"  # noqa: RUF001
)
_LENGTH = re.compile(rf"([+-]?(?:{_NUMBER})(?:[eE][+-]?[0-9]+)?)\s*([a-z°'\"′″]*)")  # noqa: RUF001
_UNITS = {
    "": 1.0, "deg": 1.0, "d": 1.0, "°": 1.0, "degree": 1.0, "degrees": 1.0,
    "arcmin": 1 / 60, "'": 1 / 60, "′": 1 / 60, "m": 1 / 60,  # noqa: RUF001
    "arcsec": 1 / 3600, '"': 1 / 3600, "″": 1 / 3600, "s": 1 / 3600, "mas": 1 / 3.6e6,
    "rad": math.degrees(1),
}  # fmt: skip


def read_ra(text: str | float) -> float:
    """Read a right ascension: `150.1` or `150d06m` in degrees, `10:00:24.5` or `10h00m24.5s` in hours.

    Returns:
        The right ascension in degrees.

    Raises:
        InvalidInput: It is not a right ascension.
    """
    value, is_hours = _read(text, "right ascension", "150.1 or 10:00:24.5")
    return check_ra(value * 15 if is_hours else value)


def read_dec(text: str | float) -> float:
    """Read a declination in degrees: `-2.2`, `-02:12:00`, `-2d12m00s`.

    Raises:
        InvalidInput: It is not a declination.
    """
    if "h" in str(text).lower():
        _refuse(text, "declination", "-2.2 or -02:12:00")
    value, _ = _read(text, "declination", "-2.2 or -02:12:00")
    return check_dec(value)


def read_radius(text: str | float) -> float:
    """Read a radius, and return it in degrees: `0.1deg`, `5arcmin`, `30arcsec`; a plain number is in degrees.

    Raises:
        InvalidInput: It is not a radius.
    """
    match = _LENGTH.fullmatch(str(text).strip().lower())
    if match is None or match[2] not in _UNITS:
        _refuse(text, "radius", "0.1deg, 5arcmin or 30arcsec")
    return check_radius(float(match[1]) * _UNITS[match[2]])


def check_ra(value: float) -> float:
    """Return a right ascension in degrees if it is in range.

    Raises:
        InvalidInput: It is not.
    """
    if not 0 <= value <= 360:
        raise InvalidInput(f"a right ascension is from 0 to 360 degrees, not {value:g}")
    return value


def check_dec(value: float) -> float:
    """Return a declination in degrees if it is in range.

    Raises:
        InvalidInput: It is not.
    """
    if not -90 <= value <= 90:
        raise InvalidInput(f"a declination is from -90 to 90 degrees, not {value:g}")
    return value


def check_radius(value: float) -> float:
    """Return a radius in degrees if it is in range.

    Raises:
        InvalidInput: It is not.
    """
    if not 0 <= value <= 180:
        raise InvalidInput(f"a radius is from 0 to 180 degrees, not {value:g}")
    return value


def _read(text: str | float, what: str, example: str) -> tuple[float, bool]:
    """Return a number, and whether it can be hours: true with colons, spaces or `h`."""
    trimmed = str(text).strip().lower().replace("−", "-")  # noqa: RUF001
    match = _DECIMAL.fullmatch(trimmed)
    if match:
        return float(match[1]), False
    match = _SEXAGESIMAL.fullmatch(trimmed)
    if match is None:
        _refuse(text, what, example)
    minutes, seconds = float(match["minutes"]), float(match["seconds"] or 0)
    if minutes >= 60 or seconds >= 60:
        raise InvalidInput(f"{str(text)[:80]!r} is not a {what}: minutes and seconds are below 60")
    value = float(match["whole"]) + minutes / 60 + seconds / 3600
    return -value if match["sign"] == "-" else value, match["mark"].strip() not in ("d", "°")


def _refuse(text: object, what: str, example: str) -> NoReturn:
    raise InvalidInput(f"{str(text)[:80]!r} is not a {what}: write it like {example}")
