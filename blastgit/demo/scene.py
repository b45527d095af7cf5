"""The surroundings of an invented transient: a host galaxy, its flux in every filter, and some stars."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from blastgit.demo.bands import SURVEYS, Band

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# A star-forming spiral at redshift 0.03: wavelength in Å, flux in µJy.
_GALAXY = (
    (1500, 2300, 3600, 4800, 6400, 7800, 9200, 12400, 16600, 21600, 33500, 46000, 116000, 221000),
    (60, 95, 310, 900, 1700, 2300, 2800, 3600, 4200, 3700, 2100, 1400, 3600, 6200),
)


def random(*parts: object) -> np.random.Generator:
    """Return a separate random generator for each purpose, so that a change of one does not affect other values."""
    return np.random.default_rng(zlib.crc32("/".join(map(str, parts)).encode()))


def galaxy_flux(wavelengths: ArrayLike) -> NDArray[np.float64]:
    """Fluxes in µJy of the model galaxy at wavelengths in Å, in the same shape."""
    x, y = np.log10(_GALAXY)
    return np.asarray(10 ** np.interp(np.log10(wavelengths), x, y))


@dataclass(frozen=True, slots=True)
class Scene:
    """The true values from which the images, the tables and the fits of one transient are made."""

    name: str
    seed: int
    ra_deg: float
    dec_deg: float
    host_east_arcsec: float  # the host's offset from the transient
    host_north_arcsec: float
    redshift: float
    orientation_deg: float  # of the host's major axis, from north through east
    semi_major_arcsec: float
    axis_ratio: float
    brightness: float  # in units of the model galaxy
    stars: tuple[tuple[float, float, float], ...]  # east and north of the transient in arcsec, flux in µJy at 6000 Å

    @property
    def host_position(self) -> tuple[float, float]:
        """Right ascension and declination of the host in degrees."""
        east_deg = self.host_east_arcsec / 3600 / math.cos(math.radians(self.dec_deg))
        return self.ra_deg + east_deg, self.dec_deg + self.host_north_arcsec / 3600

    def flux(self, band: Band) -> float:
        """The host's flux in µJy in a filter, with a scatter of 4 % between filters."""
        scatter = 1 + 0.04 * random(self.name, self.seed, "flux", band.name).standard_normal()
        return self.brightness * float(galaxy_flux(band.wavelength)) * scatter

    def flux_error(self, band: Band) -> float:
        """The error in µJy of the host's flux."""
        return SURVEYS[band.survey].relative_error * self.brightness * float(galaxy_flux(band.wavelength))


def draw(name: str, seed: int) -> Scene:
    """Invent the surroundings of a transient."""
    rng = random(name, seed, "scene")
    return Scene(
        name=name,
        seed=seed,
        ra_deg=round(rng.uniform(0.1, 359.9), 6),
        dec_deg=round(rng.uniform(-60, 5), 6),
        host_east_arcsec=round(rng.uniform(-4, 4), 3),
        host_north_arcsec=round(rng.uniform(-4, 4), 3),
        redshift=round(rng.uniform(0.015, 0.08), 6),
        orientation_deg=rng.uniform(0, 180),
        semi_major_arcsec=rng.uniform(7, 10),
        axis_ratio=rng.uniform(0.4, 0.8),
        brightness=10 ** rng.uniform(-0.3, 0.3),
        stars=tuple(
            (rng.uniform(-reach, reach), rng.uniform(-reach, reach), 10 ** rng.uniform(1, 2.5))
            for reach in (15,) * 6 + (100,) * 40  # some within the field of the sharpest survey
        ),
    )
