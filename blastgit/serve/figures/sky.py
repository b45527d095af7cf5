"""The sky: positions in the Mollweide projection, right ascension growing to the left, 180° in the middle."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

_WIDTH, _HEIGHT, _MARGIN = 520, 270, 6
_MOST = 1500  # the most points that are drawn one by one; more are grouped in cells
_CELLS = 72

Place = tuple[float, float, str]
"""Right ascension and declination in degrees, and the name of the object there."""


def plot(places: Sequence[Place], words: str = "") -> Markup | None:
    """Return a map of the whole sky; None if nothing has a position."""
    known = [(ra, dec, name) for ra, dec, name in places if math.isfinite(ra) and math.isfinite(dec)]
    if not known:
        return None
    points = _gathered(known) if len(known) > _MOST else _points(known)
    told = words or f"Map of the sky with {len(known):,} positions, right ascension to the left"
    return Markup(  # noqa: S704 (names are escaped, the rest are numbers)
        f'<svg class="plot sky" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(told)}">'
        f"{''.join(_graticule())}{''.join(points)}</svg>"
    )


def _points(places: Sequence[Place]) -> Iterator[str]:
    for ra, dec, name in places:
        x, y = _project(ra, dec)
        yield f'<circle class="spot" cx="{x:.1f}" cy="{y:.1f}" r="2.6"><title>{escape(name)}</title></circle>'


def _gathered(places: Sequence[Place]) -> Iterator[str]:
    """Yield a disc for each cell that contains points; its size grows with their number."""
    cells: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for ra, dec, _ in places:
        x, y = _project(ra, dec)
        cells.setdefault((int(x / _WIDTH * _CELLS), int(y / _WIDTH * _CELLS)), []).append((x, y))
    most = max(map(len, cells.values()))
    for found in cells.values():
        x, y = (sum(each) / len(found) for each in zip(*found, strict=True))
        radius = 0.8 + 3.4 * math.sqrt(len(found) / most)
        yield f'<circle class="spot" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>{len(found):,}</title></circle>'


def _graticule() -> Iterator[str]:
    a, b = (_WIDTH - 2 * _MARGIN) / 2, (_HEIGHT - 2 * _MARGIN) / 2
    yield f'<ellipse class="rim" cx="{_WIDTH / 2}" cy="{_HEIGHT / 2}" rx="{a}" ry="{b}"/>'
    for dec in (-60, -30, 0, 30, 60):
        yield _curve([(ra, dec) for ra in range(0, 361, 10)])
    for ra in range(60, 360, 60):
        yield _curve([(ra, dec) for dec in range(-90, 91, 6)])
    for ra in (120, 240):
        x, y = _project(ra, 0)
        yield f'<text x="{x + 3:.1f}" y="{y - 3:.1f}">{ra}°</text>'
    for dec in (-30, 30, 60):
        x, y = _project(180, dec)
        yield f'<text x="{x + 3:.1f}" y="{y - 3:.1f}">{str(dec).replace("-", "−")}°</text>'  # noqa: RUF001


def _curve(points: Sequence[tuple[float, float]]) -> str:
    steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in (_project(*point) for point in points))
    return f'<path class="grid" d="M{steps}"/>'


def _project(ra: float, dec: float) -> tuple[float, float]:
    lon = math.radians(180 - ra)
    lat = math.radians(max(-90.0, min(90.0, dec)))
    theta = lat
    if abs(lat) < math.pi / 2 - 1e-6:
        for _ in range(20):  # Newton's method: converges quickly except near the poles, where errors hardly matter
            step = (2 * theta + math.sin(2 * theta) - math.pi * math.sin(lat)) / (2 + 2 * math.cos(2 * theta))
            theta -= step
            if abs(step) < 1e-6:
                break
    a, b = (_WIDTH - 2 * _MARGIN) / 2, (_HEIGHT - 2 * _MARGIN) / 2
    return _WIDTH / 2 + a * lon / math.pi * math.cos(theta), _HEIGHT / 2 - b * math.sin(theta)
