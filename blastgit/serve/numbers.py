"""Formats numbers, times and sizes for people: with significant digits, and a proper minus sign."""

from __future__ import annotations

import math
from datetime import UTC, datetime

MINUS = "\N{MINUS SIGN}"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def number(value: object, digits: int = 4) -> str:
    """Return a number to some significant digits; a value that is not a finite number becomes a word."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "–" if value is None else str(value)  # noqa: RUF001 (a dash in a table is an empty cell)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else f"{MINUS}∞"
    if isinstance(value, int):
        return f"{value:,}".replace("-", MINUS)
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -4 or size > 6:
        head, _, power = f"{value:.{digits - 1}e}".partition("e")
        return f"{head}×10{_raised(int(power))}".replace("-", MINUS)  # noqa: RUF001
    return f"{value:.{max(0, digits - 1 - size)}f}".replace("-", MINUS)


def fixed(value: object, digits: int = 2) -> str:
    """Return a number with a fixed number of digits after the point."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return number(value)
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", MINUS)


def signed(value: object, digits: int = 3) -> str:
    """Return a difference with its sign, to some significant digits."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return number(value)
    text = number(float(value), digits)
    return text if value < 0 or text == "0" else f"+{text}"


def places(*errors: float | None) -> int:
    """Return how many decimals a value with these errors needs: such that the smaller error has two digits."""
    sizes = [abs(error) for error in errors if error and math.isfinite(error)]
    if not sizes:
        return 2
    return min(6, max(0, 1 - math.floor(math.log10(min(sizes)))))


def degrees(value: object) -> str:
    """Return an angle in degrees to a fraction of an arcsecond."""
    return f"{value:.6f}".replace("-", MINUS) if isinstance(value, int | float) else number(value)


def sexagesimal(value: object, *, hours: bool = False) -> str:
    """Return an angle in degrees as hours or degrees, minutes and seconds."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return number(value)
    unit = abs(value) / 15 if hours else abs(value)
    steps = 100 if hours else 10  # of a second
    total = round(unit * 3600 * steps)
    whole, rest = divmod(total, 3600 * steps)
    minutes, seconds = divmod(rest, 60 * steps)
    mark = "" if hours else (MINUS if value < 0 else "+")
    width = 5 if hours else 4
    return f"{mark}{whole % 24 if hours else whole:02}:{minutes:02}:{seconds / steps:0{width}.{2 if hours else 1}f}"


def bytes_text(size: object) -> str:
    """Return a number of bytes for people, in SI units."""
    if not isinstance(size, int | float):
        return number(size)
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit in ("B", "kB") else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def moment(value: object) -> datetime | None:
    """Return an instant in UTC from a time or a text; None if the value is neither."""
    try:
        found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


def day(value: object) -> str:
    """Return the day of an instant: `2 Jul 2026`."""
    found = moment(value)
    return number(None) if found is None else f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def clock(value: object) -> str:
    """Return an instant to the minute: `2 Jul 2026 11:30 UTC`."""
    found = moment(value)
    return number(None) if found is None else f"{day(found)} {found:%H:%M} UTC"


def plural(count: int, noun: str, many: str = "") -> str:
    """Return `1 file`, `2 files`."""
    return f"{count:,} {noun if count == 1 else many or f'{noun}s'}"


def _raised(power: int) -> str:
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
