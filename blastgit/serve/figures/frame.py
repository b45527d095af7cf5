"""The frame of a plot: axes with ticks, and lines, bands and points in the units of the data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from zlib import crc32

from markupsafe import Markup, escape

from blastgit.serve.numbers import MINUS


@dataclass(frozen=True)
class Axis:
    """One axis.

    Attributes:
        low: The value at the start.
        high: The value at the end.
        title: The title, with the unit.
        is_log: Whether the axis is logarithmic.
        is_reversed: Whether the axis is reversed, as for magnitudes.
    """

    low: float
    high: float
    title: str = ""
    is_log: bool = False
    is_reversed: bool = False

    def at(self, value: float) -> float:
        """Return where a value lies, from 0 at the start of the axis to 1 at its end."""
        if self.is_log:
            span = math.log(self.high / self.low)
            place = math.log(max(value, 1e-300) / self.low) / span
        else:
            place = (value - self.low) / (self.high - self.low)
        return 1 - place if self.is_reversed else place

    def ticks(self) -> list[tuple[float, str]]:
        """Return the values that have a tick, each with its label."""
        return list(_log_ticks(self.low, self.high) if self.is_log else _ticks(self.low, self.high))


def axis_over(values: Iterable[float], title: str = "", *, is_log: bool = False, **how: bool) -> Axis | None:
    """Return an axis that covers all given values, with a margin; None if there are no values to show."""
    known = [value for value in values if math.isfinite(value) and (value > 0 or not is_log)]
    if not known:
        return None
    low, high = min(known), max(known)
    if is_log:
        margin = max((high / low) ** 0.06, 1.15)
        return Axis(low / margin, high * margin, title, is_log=True, **how)
    margin = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return Axis(low - margin, high + margin, title, **how)


def _ticks(low: float, high: float) -> Iterator[tuple[float, str]]:
    raw = (high - low) / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= raw)
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) + (1 if step / power == 2.5 else 0)
    first = math.ceil(low / step - 1e-9)
    for count in range(first, first + 12):
        value = count * step
        if value > high + step * 1e-9:
            return
        yield value, f"{value:.{digits}f}".replace("-", MINUS) if value else "0"


def _log_ticks(low: float, high: float) -> Iterator[tuple[float, str]]:
    decades = math.log10(high / low)
    steps = (1,) if decades > 3 else (1, 3) if decades > 1.2 else (1, 2, 5)
    every = max(1, math.ceil(decades / 8))
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        for step in steps:
            value = step * 10.0**power
            if low <= value <= high and power % every == 0:
                yield value, _power(value, power, step)


def _power(value: float, power: int, step: int) -> str:
    if -3 <= power <= 3:
        return f"{value:g}"
    raised = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if step == 1 else f"{step}×10{raised}"  # noqa: RUF001


@dataclass
class Frame:
    """A plot that is being drawn.

    Attributes:
        x: The horizontal axis.
        y: The vertical axis.
        width: The width in pixels on a wide page.
        height: The height, likewise.
        margin: The margins above, right of, below and left of the drawing.
        shows_y: Whether the vertical axis has ticks.
    """

    x: Axis
    y: Axis
    width: int = 520
    height: int = 280
    margin: tuple[int, int, int, int] = (22, 12, 38, 52)  # above, right, below, left
    shows_y: bool = True
    _parts: list[str] = field(default_factory=list)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixel position of a point of the data, clipped to a range that can be drawn."""
        above, right, below, left = self.margin
        across = min(max(self.x.at(x), -2.0), 3.0)
        up = min(max(self.y.at(y), -2.0), 3.0)
        return left + across * (self.width - left - right), above + (1 - up) * (self.height - above - below)

    def line(self, xs: Sequence[float], ys: Sequence[float], style: str) -> None:
        """Draw a line through points; it has a gap where a value is missing."""
        self._parts.append(f'<path class="{style}" d="{"".join(self._steps(xs, ys))}"/>')

    def band(self, xs: Sequence[float], low: Sequence[float], high: Sequence[float], style: str) -> None:
        """Fill the area between two lines."""
        known = [
            (x, a, b)
            for x, a, b in zip(xs, low, high, strict=True)
            if all(map(math.isfinite, (x, a, b))) and not (self.y.is_log and (a <= 0 or b <= 0))
        ]
        if len(known) < 2:
            return
        there = [self.place(x, b) for x, _, b in known]
        back = [self.place(x, a) for x, a, _ in reversed(known)]
        points = "L".join(f"{x:.1f} {y:.1f}" for x, y in [*there, *back])
        self._parts.append(f'<path class="{style}" d="M{points}Z"/>')

    def _steps(self, xs: Sequence[float], ys: Sequence[float]) -> Iterator[str]:
        move = "M"
        for x, y in zip(xs, ys, strict=True):
            if not (math.isfinite(x) and math.isfinite(y)) or (self.y.is_log and y <= 0) or (self.x.is_log and x <= 0):
                move = "M"
                continue
            across, down = self.place(x, y)
            yield f"{move}{across:.1f} {down:.1f}"
            move = "L"

    def point(  # noqa: PLR0913, PLR0917 (a point is all of these)
        self, x: float, y: float, error: float | None, style: str, words: str, name: str = ""
    ) -> None:
        """Draw a point with its error bar, a tooltip, and a name for scripts."""
        across, down = self.place(x, y)
        bar = ""
        if error and math.isfinite(error):
            low = y - error if not (self.y.is_log and y - error <= 0) else self.y.low
            bar = f'<path d="M{across:.1f} {self.place(x, y + error)[1]:.1f}V{self.place(x, low)[1]:.1f}"/>'
        named = f' data-name="{escape(name)}"' if name else ""
        self._parts.append(
            f'<g class="{style}"{named}>{bar}<circle cx="{across:.1f}" cy="{down:.1f}" r="3.4"/>'
            f"<title>{escape(words)}</title></g>"
        )

    def rectangle(self, x: tuple[float, float], y: tuple[float, float], style: str) -> None:
        """Fill a rectangle given in data coordinates."""
        left, below = self.place(x[0], y[0])
        right, above = self.place(x[1], y[1])
        self._parts.append(
            f'<rect class="{style}" x="{min(left, right):.1f}" y="{min(above, below):.1f}" '
            f'width="{abs(right - left):.1f}" height="{abs(below - above):.1f}"/>'
        )

    def mark(self, x: float, style: str) -> None:
        """Draw a vertical line at a value."""
        across, low = self.place(x, self.y.low)
        self._parts.append(f'<path class="{style}" d="M{across:.1f} {low:.1f}V{self.margin[0]}"/>')

    def level(self, y: float, style: str) -> None:
        """Draw a horizontal line at a value."""
        across, down = self.place(self.x.low, y)
        self._parts.append(f'<path class="{style}" d="M{across:.1f} {down:.1f}H{self.width - self.margin[1]}"/>')

    def svg(self, words: str) -> Markup:
        """Return the plot; `words` describe it for people who cannot see it."""
        above, right, below, left = self.margin
        inside = f'x="{left}" y="{above}" width="{self.width - left - right}" height="{self.height - above - below}"'
        name = f"clip{crc32(''.join([words, *self._parts]).encode())}"
        return Markup(  # noqa: S704 (texts are escaped, the rest are numbers)
            f'<svg class="plot" viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(words)}">'
            f'<clipPath id="{name}"><rect {inside}/></clipPath>{"".join(self._axes())}'
            f'<g clip-path="url(#{name})">{"".join(self._parts)}</g></svg>'
        )

    def _axes(self) -> Iterator[str]:
        above, right, below, left = self.margin
        bottom, end = self.height - below, self.width - right
        yield f'<path class="axis" d="M{left} {above if self.shows_y else bottom}V{bottom}H{end}"/>'
        for value, text in self.x.ticks():
            x, _ = self.place(value, self.y.low)
            yield f'<path class="tick" d="M{x:.1f} {bottom}v4"/>'
            yield f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{text}</text>'
        for value, text in self.y.ticks() if self.shows_y else ():
            _, y = self.place(self.x.low, value)
            yield f'<path class="grid" d="M{left} {y:.1f}H{end}"/>'
            yield f'<text x="{left - 7}" y="{y + 3.6:.1f}" text-anchor="end">{text}</text>'
        yield f'<text class="name" x="{end}" y="{self.height - 6}" text-anchor="end">{escape(self.x.title)}</text>'
        if self.shows_y:
            yield f'<text class="name" x="4" y="12">{escape(self.y.title)}</text>'
