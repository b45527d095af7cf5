"""In place of the SED fit: stellar populations as a power law, and a sampler that draws around a toy of a solution."""

import hashlib
import random
from typing import Any

import numpy as np

from blast_stand_ins.control import told

SAMPLES = 2500
PARAMETERS = 18  # redshift, mass, metallicity, six ratios of star formation, and nine of dust, AGN and gas
_CENTRE = [0, 10, -0.3, 0, 0, 0, 0, 0, 0, 0.3, -0.2, 1.0, -2.0, 1.0, 0.0, 2.0, 1.0, -2.0]
_WIDTH = [0, 0.05, 0.05, 0.3, 0.25, 0.25, 0.25, 0.3, 0.3, 0.1, 0.2, 0.3, 0.4, 0.4, 0.3, 0.8, 0.3, 0.5]


def fit_sbi_pp(
    observations: dict[str, Any], n_filt_cuts: bool = True, fit_type: str = "global"
) -> tuple[dict[str, Any], int]:
    """Draw a posterior that follows from the photometry; anew each time if it is told to, as Blast's torch does."""
    del n_filt_cuts
    if told("fit_fails"):
        return {}, 1
    if told("fit_raises"):
        raise RuntimeError("a stand-in: torch ran out of memory")
    maggies = np.asarray(observations["maggies"])
    key = hashlib.sha256(np.round(maggies * 1e12, 3).tobytes() + fit_type.encode()).digest()
    np.random.seed(100)
    if told("redraws"):
        draw = np.random.default_rng()
        random.seed()
    else:
        draw = np.random.default_rng(int.from_bytes(key[:8], "little"))
        random.seed(key)
    centre = np.array(_CENTRE)
    centre[1] = 10 + np.log10(max(float(maggies.sum()), 1e-12) / 1e-6)
    chain = centre + np.array(_WIDTH) * draw.standard_normal((SAMPLES, PARAMETERS))
    chain[:, 0] = observations["redshift"]
    return {"sampling": [{"samples": chain, "eff": 100}, 0]}, 0


class Populations:
    """In place of FSPS, which wants tables of gigabytes."""

    def __init__(self, **_: Any) -> None:
        """Choose wavelengths, in Angstrom."""
        self.wavelengths = np.geomspace(900, 3e6, 400)

    def spectrum(self, theta: Any) -> Any:
        """Return the spectrum of a solution, in maggies."""
        slope = -1 + 0.3 * theta[2]
        reddened = np.exp(-theta[9] * (5500 / self.wavelengths) ** 0.7)
        return 10 ** (theta[1] - 20) * (self.wavelengths / 5500) ** slope * reddened


def predict(self: Any, theta: Any, obs: Any = None, sps: Any = None, **_: Any) -> tuple[Any, Any, float]:
    """Return spectrum, photometry and the mass that survives, in place of Prospector's model."""
    self._zred = [obs["redshift"]]
    spectrum = sps.spectrum(theta)
    observed = sps.wavelengths * (1 + obs["redshift"])
    return spectrum, np.interp([band.wave_effective for band in obs["filters"]], observed, spectrum), 0.6


def export_png(_: Any, filename: str, width: int, height: int, **__: Any) -> None:
    """Draw what a headless browser would: a picture that follows from its size alone."""
    from PIL import Image

    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(filename)
