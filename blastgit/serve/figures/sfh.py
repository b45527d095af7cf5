"""The star formation history: the rate in bins of look-back time, with its 16 to 84 percent band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from blastgit.serve.figures.frame import Frame, axis_over

_FIRST = 0.003  # Gyr: the first bin begins at 0, which a logarithm cannot show


def plot(series: Sequence[tuple[Sequence[dict[str, Any]], str]], words: str) -> Markup | None:
    """Return the plot of one revision's bins, or of two overlaid; None if there is nothing to show."""
    bins = [(row, style) for rows, style in series for row in rows if _is_bin(row)]
    edges = [max(_FIRST, row[key]) for row, _ in bins for key in ("logsfr_tmin", "logsfr_tmax")]
    x = axis_over(edges, "look-back time, Gyr", is_log=True)
    heights = [row[f"logsfr_{p}"] for row, _ in bins for p in (16, 50, 84) if isinstance(row.get(f"logsfr_{p}"), float)]
    y = axis_over(heights, "log SFR, log M☉/yr")
    if x is None or y is None:
        return None
    frame = Frame(x, y, height=240)
    for row, style in bins:
        if all(isinstance(row.get(f"logsfr_{p}"), float) for p in (16, 84)):
            span = (max(_FIRST, row["logsfr_tmin"]), max(_FIRST, row["logsfr_tmax"]))
            frame.rectangle(span, (row["logsfr_16"], row["logsfr_84"]), f"band {style}")
    for rows, style in series:
        xs: list[float] = []
        ys: list[float] = []
        for row in filter(_is_bin, rows):
            xs += [max(_FIRST, row["logsfr_tmin"]), max(_FIRST, row["logsfr_tmax"])]
            ys += [row["logsfr_50"]] * 2
        frame.line(xs, ys, f"curve {style}")
    return frame.svg(words)


def _is_bin(row: dict[str, Any]) -> bool:
    return all(isinstance(row.get(key), float) for key in ("logsfr_tmin", "logsfr_tmax", "logsfr_50"))
