"""First runs: generates a transient as Blast publishes it after processing it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastgit.demo import images, sed, tables
from blastgit.demo.bands import BANDS
from blastgit.demo.sample import Sample
from blastgit.demo.scene import Scene, draw, random

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_FILTERS = (
    "2MASS_J", "2MASS_H", "2MASS_K", "DES_g", "DES_r", "DES_i", "DES_z", "DES_Y",
    "GALEX_NUV", "WISE_W1", "WISE_W2", "WISE_W3", "WISE_W4",
)  # fmt: skip
_SMALL_FILTERS = ("2MASS_J", "DES_g", "DES_z", "WISE_W1")
_START = "2026-05-27T15:46:03.934740+00:00"


def process(  # noqa: PLR0913 - every one is a keyword with a default
    name: str = "2026dgt",
    *,
    seed: int = 0,
    app_version: str = "v1.12.0",
    export_time: str = _START,
    filters: Sequence[str] = DEFAULT_FILTERS,
    pixels: int = 120,
) -> Sample:
    """Invent a transient and process it for the first time.

    Args:
        name: The transient's name, which also determines its position in the sky and its host.
        seed: A seed: another one gives other values for the same name.
        app_version: Blast's version, with its leading v.
        export_time: When the export was taken, in ISO format with microseconds and time zone.
        filters: The filters that have an image, at least one; all 24 of the instance are in the tables.
        pixels: The side length of the images. The SED files grow with the area: 1.7 MB in total for 120 pixels, 10 MB
            for 300.
    """
    scene = draw(name, seed)
    export, write = tables.first_export(scene, filters, app_version, export_time)
    files = _image_files(scene, filters, pixels)
    carriers = {aperture["fields"]["type"]: aperture for aperture in reversed(export["apertures"])}
    for scope in ("global", "local"):
        result = sed.fit(tables.fit_input(export, scope), sed.Grid.beside(pixels), random(name, seed, "fit", scope))
        write.carry(carriers[scope], result)
        files |= {tables.sed_stem(name, scope) + end: content for end, content in sed.files(result).items()}
    return Sample(export, files)


def small(name: str, *, seed: int = 0) -> Sample:
    """Invent a transient of 4 filters, 16-pixel images and tiny SED files, fast enough for every test."""
    return process(name, seed=seed, filters=_SMALL_FILTERS, pixels=16)


def _image_files(scene: Scene, filters: Sequence[str], pixels: int) -> dict[str, bytes]:
    """One FITS file for each filter, and the thumbnail of the sharpest one."""
    files = {
        f"cutout_cdn/{scene.name}/{BANDS[f].survey}/{f}.fits": images.cutout(scene, BANDS[f], pixels) for f in filters
    }
    best = min(filters, key=lambda name: (BANDS[name].fwhm_arcsec, abs(BANDS[name].wavelength - 6400)))
    path = f"cutout_cdn/{scene.name}/{BANDS[best].survey}/{best}"
    return files | {f"{path}.jpg": images.thumbnail(files[f"{path}.fits"], max(32, min(2 * pixels, 400)))}
