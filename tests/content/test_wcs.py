"""Sky coordinates of a cutout compared with those of astropy."""

import numpy as np
import pytest

from blastgit.content.images import first_image
from blastgit.content.wcs import read_wcs

CARDS = {
    "plain": {"CD1_1": -7e-5, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 7e-5},
    "turned": {"CD1_1": -5e-5, "CD1_2": 4e-5, "CD2_1": 4e-5, "CD2_2": 5e-5},
    "steps": {"CDELT1": -3e-4, "CDELT2": 3e-4},
    "steps turned": {"CDELT1": -3e-4, "CDELT2": 3e-4, "PC1_1": 0.8, "PC1_2": -0.6, "PC2_1": 0.6, "PC2_2": 0.8},
}


@pytest.mark.parametrize("kind", CARDS)
@pytest.mark.parametrize(("ra", "dec"), [(244.67, -50.3), (0.001, 10.0), (359.999, -89.0), (30.0, 0.0)])
def test_a_pixel_is_where_astropy_has_it(tmp_path, kind, ra, dec):
    fits, wcs = pytest.importorskip("astropy.io.fits"), pytest.importorskip("astropy.wcs")
    header = fits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": ra, "CRVAL2": dec, "CRPIX1": 150.5,
                          "CRPIX2": 140.0, **CARDS[kind]})  # fmt: skip
    fits.PrimaryHDU(np.zeros((280, 300), "f4"), header).writeto(tmp_path / "a.fits")
    ours, theirs = read_wcs(first_image(tmp_path / "a.fits").cards), wcs.WCS(header)
    for x, y in ((1, 1), (150.5, 140), (300, 20), (-40, 500)):
        sky = theirs.all_pix2world(x, y, 1)
        assert ours.pixel(*map(float, sky)) == pytest.approx((x, y), abs=1e-5)


def test_no_coordinates_and_nonsense(tmp_path):
    assert read_wcs({}) is None
    assert read_wcs({"CTYPE1": ["RA---SIN"], "CTYPE2": ["DEC--SIN"]}) is None
    assert read_wcs({"CTYPE1": ["RA---TAN"], "CTYPE2": ["DEC--TAN"]}) is None
