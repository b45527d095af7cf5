"""The spectral energy distribution: photometry with its errors, and the model with its 16 to 84 percent band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from blastgit.serve.figures.frame import Frame, axis_over
from blastgit.serve.numbers import number

_MICROJANSKY = 3631e6  # in a maggy
_MICRON = 1e4  # Å


@dataclass(frozen=True)
class Model:
    """The model spectrum of a fit, in the observer's frame.

    Attributes:
        wavelength: The wavelengths in µm.
        flux: The median flux in µJy.
        low: The 16th percentile of the flux.
        high: The 84th percentile of the flux.
    """

    wavelength: Sequence[float]
    flux: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def read_model(arrays: Any, redshift: float) -> Model | None:
    """Return the model of a fit from its file; None if the file has no spectrum."""
    if not all(key in arrays for key in ("rest_wavelength", "spec")):
        return None
    wavelength = (arrays["rest_wavelength"] * (1 + redshift) / _MICRON).tolist()
    flux = arrays["spec"] * _MICROJANSKY
    low, high = (arrays[key] * _MICROJANSKY if key in arrays else flux for key in ("spec_16", "spec_84"))
    same = len(wavelength) == len(flux) == len(low) == len(high)
    return Model(wavelength, flux.tolist(), low.tolist(), high.tolist()) if same else None


@dataclass(frozen=True)
class Series:
    """One revision on a plot.

    Attributes:
        photometry: The rows of its photometry.
        model: The model of its fit.
        style: The letter of its CSS classes, "a" or "b".
        label: Its name in the legend.
    """

    photometry: Sequence[dict[str, Any]]
    model: Model | None
    style: str = "b"
    label: str = ""


def plot(series: Sequence[Series], words: str) -> Markup | None:
    """Return the plot of one revision, or of two overlaid; None if there is nothing to show."""
    points = [(one, row) for one in series for row in one.photometry if _is_point(row)]
    seen = [row["wavelength_angstrom"] / _MICRON for _, row in points]
    x = axis_over(seen, "observed wavelength, µm", is_log=True)
    y = axis_over(_heights(points, series, x), "flux density, µJy", is_log=True)
    if x is None or y is None:
        return None
    frame = Frame(x, y)
    for one in series:
        if one.model:
            frame.band(one.model.wavelength, one.model.low, one.model.high, f"band {one.style}")
    for one in series:
        if one.model:
            frame.line(one.model.wavelength, one.model.flux, f"curve {one.style}")
    for one, row in points:
        _point(frame, one, row)
    return frame.svg(words)


def _point(frame: Frame, one: Series, row: dict[str, Any]) -> None:
    flux, error = row["flux_ujy"], row["flux_error_ujy"]
    told = f"{one.label + ': ' if one.label else ''}{row['filter']}: {number(flux)} ± {number(error, 2)} µJy"
    doubtful = row["invalid"] or row["validated"] not in ("true", True, None)
    style = f"dot {one.style}{' doubtful' if doubtful else ''}"
    frame.point(row["wavelength_angstrom"] / _MICRON, flux, error if isinstance(error, float) else None, style, told)


def _is_point(row: dict[str, Any]) -> bool:
    wavelength, flux = row["wavelength_angstrom"], row["flux_ujy"]
    return isinstance(wavelength, float) and isinstance(flux, float) and wavelength > 0 and flux > 0


def _heights(points: Sequence[tuple[Series, dict[str, Any]]], series: Sequence[Series], x: Any) -> list[float]:
    found = [row["flux_ujy"] for _, row in points]
    for one in series:
        if one.model and x is not None:
            inside = [
                flux for at, flux in zip(one.model.wavelength, one.model.flux, strict=True)
                if x.low <= at <= x.high and flux > 0
            ]  # fmt: skip
            found += [each for each in inside if not found or each > min(found) / 5]
    return found
