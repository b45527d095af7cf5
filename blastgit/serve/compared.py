"""Lists and plots of how the values of two revisions differ, in sigma where errors are known."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from blastgit.errors import BlastgitError
from blastgit.serve.facts import Facts
from blastgit.serve.figures import posterior
from blastgit.serve.figures.frame import Frame, axis_over
from blastgit.serve.numbers import number
from blastgit.serve.quantities import BY_NAME, QUANTITIES
from blastgit.serve.site import Site

_PERCENTILE = re.compile(r"sed/(?P<scope>[^/.]+)\.(?P<name>\w+)_(?P<p>16|50|84)")
_PHOTOMETRY = re.compile(r"photometry/(?P<aperture>[^/]+)/(?P<filter>[^/]+)\.(?P<field>\w+)")
_HISTORY = re.compile(r"sfh/(?P<scope>[^/]+)/(?P<time>[\d.e+-]+)\.logsfr_(?P<p>16|50|84)")
_MICRON = 1e4  # Å
_FIRST = ("log_mass", "log_sfr", "log_ssfr", "age", "logzsol", "dust2")


def changes(fields: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the values that differ: first those with a sigma, largest first, then those without one."""
    found = [{**each, "label": label_of(str(each["path"]))} for each in fields]
    return sorted(found, key=lambda each: (each.get("sigma") is None, -abs(each.get("sigma") or 0.0)))


def label_of(path: str) -> str:
    """Return a label of a value for people: `DES_z magnitude, global`."""
    match = _PERCENTILE.fullmatch(path)
    if match:
        known = BY_NAME.get(match["name"])
        percentile = "" if match["p"] == "50" else f", percentile {match['p']}"
        return f"{known.label if known else match['name']}, {match['scope']}{percentile}"
    match = _PHOTOMETRY.fullmatch(path)
    if match:
        scope = next((each for each in ("global", "local") if match["aperture"].endswith(f"_{each}")), "")
        return f"{match['filter']} {match['field'].replace('_', ' ')}{', ' if scope else ''}{scope}"
    match = _HISTORY.fullmatch(path)
    if match:
        percentile = "" if match["p"] == "50" else f", percentile {match['p']}"
        return f"log SFR {number(float(match['time']), 3)} Gyr ago, {match['scope']}{percentile}"
    return path


def is_of(path: str, scope: str) -> bool:
    """Whether a value or a file, by its path, belongs to an aperture: "local" or "global"."""
    return re.search(rf"[/_]{scope}(?![a-z])", path) is not None


def residuals(rows: Sequence[Sequence[Mapping[str, Any]]], labels: tuple[str, str]) -> Markup | None:
    """Return a plot of the change of each flux in units of the combined error; None if there is nothing to plot."""
    old, new = ({row["filter"]: row for row in each} for each in rows)
    points = []
    for name in old.keys() & new.keys():
        numbers = [row[key] for row in (old[name], new[name]) for key in ("flux_ujy", "flux_error_ujy")]
        wavelength = new[name]["wavelength_angstrom"]
        if wavelength and all(isinstance(each, float) for each in numbers):
            error = math.hypot(numbers[1], numbers[3])
            if error > 0:
                points.append((wavelength / _MICRON, (numbers[2] - numbers[0]) / error, name))
    x = axis_over((each[0] for each in points), "observed wavelength, µm", is_log=True)
    y = axis_over([*(each[1] for each in points), -1.5, 1.5], f"flux {labels[1]} − {labels[0]}, σ")  # noqa: RUF001
    if x is None or y is None:
        return None
    frame = Frame(x, y, height=150)
    for level in (-1.0, 0.0, 1.0):
        frame.level(level, "level")
    for wavelength, sigma, name in points:
        frame.point(wavelength, sigma, None, "dot b", f"{name}: {sigma:+.2f} sigma")
    return frame.svg("Change of each flux in units of both errors")


def posteriors(here: Site, sides: tuple[Facts, Facts], scope: str) -> list[Markup]:
    """Return plots of the posteriors of the main quantities of a fit, both revisions overlaid."""
    chains = [_chain(here, facts, scope) for facts in sides]
    found = []
    for quantity in (each for each in QUANTITIES if each.name in _FIRST):
        series = [(chain.get(quantity.name), style) for chain, style in zip(chains, "ab", strict=True)]
        drawn = posterior.plot(series, quantity)
        if drawn is not None:
            found.append(drawn)
    return found


def _chain(here: Site, facts: Facts, scope: str) -> dict[str, Any]:
    path = f"sed_output/{facts.name}_{scope}_chain.npz"
    if path not in facts.entry.revision.held or path in facts.entry.withdrawn or path in facts.invalid:
        return {}
    sha256 = facts.entry.revision.sha256(path)

    def read() -> dict[str, Any]:
        number = facts.entry.revision.number
        try:
            arrays = facts.repo.dataset("chain", facts.name, revision=number, aperture=scope)
        except BlastgitError:
            return {}
        known = [each for each in QUANTITIES if each.name in _FIRST]
        return {each.name: values for each in known if (values := posterior.draws(arrays, each)) is not None}

    return here.figures.get(("chain", sha256), read, lambda each: sum(v.nbytes for v in each.values()) + 1000)
