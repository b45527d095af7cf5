"""Posteriors: the distribution of the draws of one quantity, of one revision or of two overlaid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from blastgit.serve.figures.frame import Axis, Frame
from blastgit.serve.quantities import Quantity

_BINS = 40


def draws(arrays: Any, quantity: Quantity) -> Any | None:
    """Return the draws of a quantity from a chain file; None if the file has none."""
    if not quantity.chain or quantity.chain not in arrays:
        return None
    values = np.asarray(arrays[quantity.chain], dtype=float)
    values = values[:, 0] if values.ndim == 2 else values.ravel()  # of the rates, the first is the present one
    if quantity.chain in ("sfr", "ssfr"):
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log10(values)
    values = values[np.isfinite(values)]
    return values if values.size > 10 else None


def plot(series: Sequence[tuple[Any, str]], quantity: Quantity) -> Markup | None:
    """Return a plot of the distributions of several sets of draws, each with the letter of its style."""
    known = [(values, style) for values, style in series if values is not None]
    if not known:
        return None
    every = np.concatenate([values for values, _ in known])
    low, high = np.percentile(every, (0.3, 99.7))
    margin = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    x = Axis(float(low - margin), float(high + margin), ", ".join(filter(None, (quantity.label, quantity.unit))))
    found = [(np.histogram(values, _BINS, (x.low, x.high), density=True), values, style) for values, style in known]
    top = max(float(heights.max()) for (heights, _), _, _ in found) or 1.0
    frame = Frame(x, Axis(0.0, top * 1.08), 260, 160, (8, 8, 36, 8), shows_y=False)
    for (heights, edges), values, style in found:
        xs = np.repeat(edges, 2).tolist()
        ys = [0.0, *np.repeat(heights, 2).tolist(), 0.0]
        frame.band(xs, [0.0] * len(xs), ys, f"band {style}")
        frame.line(xs, ys, f"curve {style}")
        frame.mark(float(np.median(values)), f"median {style}")
    return frame.svg(f"Distribution of {quantity.about}")
