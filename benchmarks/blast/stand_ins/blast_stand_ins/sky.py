"""An invented sky: three transients, two galaxies' worth of images, and the catalogues that know them."""

import zlib
from typing import Any

import numpy as np

from blast_stand_ins.control import told

# name: right ascension, declination, and its host: name, identifier, right ascension, declination, redshift
HOSTS = {"NGC 9901": ("9901", 150.0, 2.0, 0.03)}
TRANSIENTS = {
    "2099aa": (150.0012, 2.0008, "NGC 9901"),
    "2099ab": (149.9991, 1.9993, "NGC 9901"),
    "2099ac": (210.0, -5.0, None),
}
PIXELS = 200  # of an arcsecond each
SURVEYS = ("2MASS", "PanSTARRS", "SDSS", "WISE")


def nearest(position: Any) -> str:
    """Return the transient at a position, or the one whose host is there."""
    ra, dec = position.ra.deg, position.dec.deg
    return min(TRANSIENTS, key=lambda name: (TRANSIENTS[name][0] - ra) ** 2 + (TRANSIENTS[name][1] - dec) ** 2)


def cutout(position: Any, filter: Any, **_: Any) -> tuple[Any, int, Any]:  # noqa: A002 (Blast's keyword)
    """Return an image in a filter, whether the survey failed to answer, and how: what Blast's `cutout` returns."""
    name = nearest(position)
    if filter.name in told("unanswered", []):
        return None, 1, RuntimeError("a stand-in: the survey does not answer")
    if filter.survey.name not in SURVEYS or filter.name in told("no_image", []) or TRANSIENTS[name][2] is None:
        return None, 0, None
    return image(name, filter), 0, None


def image(name: str, filter: Any) -> Any:  # noqa: A002
    """Return a galaxy in noise, the same at each question unless it is told to be brighter."""
    from astropy.io import fits
    from astropy.wcs import WCS

    ra, dec, host = TRANSIENTS[name]
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [ra, dec]
    wcs.wcs.crpix, wcs.wcs.cdelt = [PIXELS / 2, PIXELS / 2], [-1 / 3600, 1 / 3600]
    x, y = wcs.wcs_world2pix(*HOSTS[host][1:3], 0)
    seed = zlib.crc32(f"{name} {filter.name}".encode())
    rows, columns = np.mgrid[:PIXELS, :PIXELS]
    galaxy = np.exp(-(((columns - x) / 3.5) ** 2 + ((rows - y) / 2.5) ** 2) / 2)
    brightness = 400 * told("brighter", {}).get(filter.name, 1.0)
    pixels = brightness * galaxy + np.random.default_rng(seed).normal(10, 1, (PIXELS, PIXELS))
    header = wcs.to_header()
    header["EXPTIME"] = 100.0
    header[filter.magnitude_zero_point_keyword or "MAGZP"] = 25.0
    return fits.HDUList([fits.PrimaryHDU(pixels.astype("float32"), header)])


def associate_sample(catalogue: Any, **_: Any) -> Any:
    """Return the host of the one transient in a catalogue, as Prost does."""
    import pandas as pd
    from astropy.coordinates import SkyCoord

    if told("host_match_raises"):
        raise RuntimeError("a stand-in: the catalogue server is away")
    position = SkyCoord(catalogue["RA"][0], catalogue["Dec"][0], unit="deg")
    name = TRANSIENTS[nearest(position)][2]
    if name is None:
        return pd.DataFrame({"best_cat": [""], "best_cat_release": [""]})
    identifier, ra, dec, redshift = HOSTS[name]
    return pd.DataFrame({
        "best_cat": ["glade"], "best_cat_release": ["latest"], "host_name": [name], "host_objID": [identifier],
        "host_ra": [ra], "host_dec": [dec], "host_redshift_mean": [redshift], "host_redshift_std": [0.0001],
        "host_redshift_info": ["SPEC"],
    })  # fmt: skip


class Dust:
    """A dust map: one reddening everywhere."""

    def __call__(self, _: Any) -> float:
        """Return the reddening at a position."""
        return 0.03 + float(told("more_dust", 0))


class Away:
    """A catalogue that does not answer."""

    def query_region(self, *_: Any, **__: Any) -> Any:
        """Raise what a connection that fails does."""
        raise ConnectionError("a stand-in: there is no catalogue here")


def reported(names: list[str]) -> list[Any]:
    """Return transients as the name server knows them, unsaved."""
    from host.models import Transient

    return [
        Transient(
            name=name, ra_deg=TRANSIENTS[name][0], dec_deg=TRANSIENTS[name][1], tns_id=1 + list(TRANSIENTS).index(name),
            tns_prefix="SN", public_timestamp=told("reported_at", "2026-01-16 00:00:00"),
            spectroscopic_class=told("class", "SN Ia"),
        )
        for name in names
        if name in TRANSIENTS
    ]  # fmt: skip
