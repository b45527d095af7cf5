"""HEALPix cells compared with those of astropy's package."""

import numpy as np
import pytest

from blastgit.index.healpix import cells


@pytest.mark.parametrize("order", [0, 1, 6, 13, 29])
def test_cells_are_those_of_astropy(order):
    healpix = pytest.importorskip("astropy_healpix", reason="astropy-healpix is not installed")
    from astropy import units

    random = np.random.default_rng(order)
    ra = random.uniform(-360, 720, 20_000)
    dec = np.degrees(np.arcsin(random.uniform(-1, 1, 20_000)))
    dec[:500] = 90 - random.uniform(0, 1e-7, 500)
    dec[500:1000] = random.uniform(0, 1e-4, 500) - 90
    dec[1000:2000] = np.degrees(np.arcsin(2 / 3)) + random.uniform(-1e-6, 1e-6, 1000)
    expected = healpix.HEALPix(2**order, "nested").lonlat_to_healpix(ra * units.deg, dec * units.deg)
    assert list(cells(ra, dec, order)) == expected.tolist()


def test_what_is_no_position_has_no_cell():
    nan, inf = float("nan"), float("inf")
    assert cells([None, 1.0, nan, 0.0, inf, 0.0], [1.0, None, 0.0, 90.1, 0.0, -inf], 29) == (None,) * 6


def test_poles_and_the_seam():
    north, south, seam, again = cells([0.0, 0.0, 0.0, 360.0], [90.0, -90.0, 45.0, 45.0], 5)
    assert north // 4**5 == 0
    assert south // 4**5 == 8
    assert seam == again
