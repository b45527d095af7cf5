"""Sky coordinates of an image by the cards of its header: the gnomonic projection (TAN), which Blast's cutouts have.

After Calabretta & Greisen 2002 (A&A 395, 1077). Distortion terms are left out: they move an aperture that is drawn on
a cutout by less than a pixel. Astropy does the same with all terms, and takes half a second to load.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blastgit.content import cards

if TYPE_CHECKING:
    from blastgit.content.cards import Cards

Matrix = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Wcs:
    """Where on the sky an image lies.

    Attributes:
        ra: right ascension of the reference point in degrees.
        dec: its declination.
        x: its pixel, counted from 1 at the centre of the lower left one.
        y: likewise.
        cd: the matrix from pixels to degrees on the tangent plane, row by row.
    """

    ra: float
    dec: float
    x: float
    y: float
    cd: Matrix

    def pixel(self, ra: float, dec: float) -> tuple[float, float] | None:
        """The pixel of a position, counted from 1; None on the far side of the sky."""
        alpha, delta, zero = (math.radians(angle) for angle in (ra - self.ra, dec, self.dec))
        toward = math.sin(delta) * math.sin(zero) + math.cos(delta) * math.cos(zero) * math.cos(alpha)
        if toward <= 0:
            return None
        xi = math.degrees(math.cos(delta) * math.sin(alpha) / toward)
        eta = math.degrees(
            (math.sin(delta) * math.cos(zero) - math.cos(delta) * math.sin(zero) * math.cos(alpha)) / toward
        )
        a, b, c, d = self.cd
        det = a * d - b * c
        return self.x + (d * xi - b * eta) / det, self.y + (a * eta - c * xi) / det

    @property
    def scale(self) -> float:
        """Arcseconds per pixel."""
        a, b, c, d = self.cd
        return 3600 * math.sqrt(abs(a * d - b * c))

    @property
    def north(self) -> float:
        """The direction of north in the image, in degrees counter-clockwise from the x axis."""
        a, b, c, d = self.cd
        det = a * d - b * c
        return math.degrees(math.atan2(a / det, -b / det))

    @property
    def east_is_counterclockwise(self) -> bool:
        """Whether east is to the left where north is up, as on the sky."""
        a, b, c, d = self.cd
        return a * d - b * c < 0

    def to_json(self) -> dict[str, Any]:
        """Return it under stable keys, as scripts read it."""
        return {
            "ra_deg": self.ra, "dec_deg": self.dec, "x": self.x, "y": self.y, "cd": list(self.cd),
            "arcsec_per_pixel": self.scale, "projection": "TAN",
        }  # fmt: skip


def read_wcs(values: Cards) -> Wcs | None:
    """The sky coordinates that a header states; None if it states none, or of another projection."""
    types = (cards.string(values, "CTYPE1"), cards.string(values, "CTYPE2"))
    if not (types[0].startswith("RA---TAN") and types[1].startswith("DEC--TAN")):
        return None
    ra, dec, x, y = (cards.number(values, key, math.nan) for key in ("CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2"))
    cd = _matrix(values)
    finite = all(map(math.isfinite, (ra, dec, x, y, *cd)))
    return Wcs(ra, dec, x, y, cd) if finite and cd[0] * cd[3] - cd[1] * cd[2] else None


def _matrix(values: Cards) -> Matrix:
    names = [f"{i}_{j}" for i in (1, 2) for j in (1, 2)]
    if any(f"CD{name}" in values for name in names):
        a, b, c, d = (cards.number(values, f"CD{name}", 0.0) for name in names)
        return a, b, c, d
    one, two = (cards.number(values, key, math.nan) for key in ("CDELT1", "CDELT2"))
    a, b, c, d = (
        cards.number(values, f"PC{name}", default) for name, default in zip(names, (1.0, 0.0, 0.0, 1.0), strict=True)
    )
    return one * a, one * b, two * c, two * d
