"""Plots that compare two runs: one point per transient, and a histogram of the differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from blastgit.serve.figures.frame import Axis, Frame, axis_over
from blastgit.serve.numbers import number, plural, signed

_BINS = 31


def scatter(points: Sequence[dict[str, Any]], title: str) -> Markup | None:
    """Return a plot of new against old values, with the line on which both are equal."""
    both = [value for point in points for value in (point["old"], point["new"])]
    x = axis_over(both, f"first: {title}")
    if x is None:
        return None
    frame = Frame(x, Axis(x.low, x.high, "second"), 420, 380)
    frame.line([x.low, x.high], [x.low, x.high], "level")
    for point in points:
        words = f"{point['transient']}: {number(point['old'])} → {number(point['new'])}"
        frame.point(point["old"], point["new"], None, "dot b pick", words, point["transient"])
    return frame.svg(f"{title}: the second run over the first, {plural(len(points), 'differing transient')}")


def histogram(points: Sequence[dict[str, Any]], title: str) -> Markup | None:
    """Return a histogram of the differences."""
    values = np.array([point["difference"] for point in points], dtype=float)
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, high = (float(each) for each in np.percentile(values, (1, 99))) if values.size > 50 else (
        float(values.min()), float(values.max()))  # fmt: skip
    margin = (high - low) * 0.1 or abs(high) * 0.1 or 1.0
    heights, edges = np.histogram(values, _BINS, (low - margin, high + margin))
    y = Axis(0, float(heights.max()) * 1.05 or 1.0, "transients")
    frame = Frame(Axis(low - margin, high + margin, title), y, 420, 260)
    for height, left, right in zip(heights.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if height:
            frame.rectangle((left, right), (0, height), "bars")
    frame.mark(float(np.median(values)), "median b")
    return frame.svg(f"{title}: median {signed(float(np.median(values)))}")
