"""Plot a comparison: for each quantity new against old, and a histogram of the differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from blastgit.errors import NotFound, RepoError, UsageError
from blastgit.plumbing.extras import not_installed
from blastgit.search.compare.compared import Comparing, Comparison, Statistics

_MOST = 12  # most quantities in one picture
_FORMATS = (".png", ".svg", ".pdf")
_INK, _LINE = "#27567b", "#b6403a"
_BINS = 30


def draw(comparing: Comparing, comparison: Comparison, path: Path) -> int:
    """Plot the quantities that differ most often, and return how many were plotted.

    Args:
        comparing: The two sides.
        comparison: The result.
        path: The file: .png, .svg or .pdf.

    Raises:
        UsageError: It has another suffix.
        NotFound: There is nothing to plot.
        RepoError: matplotlib is not installed, or the file cannot be written.
    """
    if path.suffix.lower() not in _FORMATS:
        raise UsageError(f"{path} should end in {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}")
    often = sorted((each for each in comparison.statistics if each.both), key=lambda one: -one.changed / one.both)
    chosen = [each for each in often if each.changed][:_MOST] or often[:1]
    if not chosen:
        raise NotFound(f"{comparison.old} and {comparison.new} have no value in common that could be drawn")
    figure = _figure(len(chosen))
    for row, each in zip(figure.subplots(len(chosen), 2, squeeze=False), chosen, strict=True):
        _draw(row, each, comparing.values(each), (comparison.old, comparison.new))
    try:
        figure.savefig(path)
    except OSError as error:
        raise RepoError(f"{path} cannot be written: {error.strerror or error}") from None
    return len(chosen)


def _figure(rows: int) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise not_installed("pictures need", "matplotlib", "pictures") from None
    return Figure(figsize=(9, 3.2 * rows), dpi=120, layout="constrained")


def _draw(
    axes: Sequence[Any], statistics: Statistics, values: list[tuple[float, float]], sides: tuple[str, str]
) -> None:
    unit = f" [{statistics.unit}]" if statistics.unit else ""
    title = " ".join([*statistics.group, statistics.quantity])
    scatter, histogram = axes
    old, new = zip(*values, strict=True)
    ends = min(*old, *new), max(*old, *new)
    scatter.plot(ends, ends, color=_LINE, linewidth=1)
    scatter.plot(old, new, linestyle="none", marker="o", markersize=3, alpha=0.6, color=_INK)
    scatter.set(title=title, xlabel=f"{sides[0]}{unit}", ylabel=f"{sides[1]}{unit}")
    differences = [b - a for a, b in values]
    histogram.hist(differences, bins=min(_BINS, max(5, math.isqrt(len(differences)))), color=_INK)
    histogram.axvline(statistics.median_difference or 0.0, color=_LINE, linewidth=1)
    words = f"{statistics.changed} of {statistics.both} differ"
    if statistics.median_difference is not None:
        words += (
            f": median {statistics.median_difference:.3g}, MAD {statistics.mad:.3g}, {statistics.outliers} outliers"
        )
    histogram.set(title=words, xlabel=f"difference{unit}", ylabel="transients")
    histogram.locator_params(axis="x", nbins=5)  # more labels would overlap
