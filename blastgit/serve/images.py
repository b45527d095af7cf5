"""Cutouts as pictures: a grey PNG in a given stretch, with the apertures drawn over it; all are cached."""

from __future__ import annotations

import base64
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from blastgit.content.hdus import FitsError
from blastgit.content.images import Image, first_image
from blastgit.content.pictures import bounds, diverging, grey, png
from blastgit.content.wcs import Wcs, read_wcs
from blastgit.errors import NotFound

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from blastgit.serve.site import Site

    Values = NDArray[np.float64]

LARGEST = 1024  # the longest side of a picture, in pixels
_UNDEFINED = (46, 139, 87)


@dataclass(frozen=True)
class Picture:
    """An image that was read and checked.

    Attributes:
        sha256: The checksum of its file.
        image: The image.
    """

    sha256: str
    image: Image

    @cached_property
    def wcs(self) -> Wcs | None:
        """The celestial coordinates of the image."""
        return read_wcs(self.image.cards)

    @cached_property
    def stretch(self) -> tuple[float | None, float | None]:
        """The values that are shown as black and as white."""
        return bounds([self.image.pixels])

    def to_json(self) -> dict[str, Any]:
        """Return the description of the picture, under stable keys."""
        low, high = self.stretch
        wcs = self.wcs
        height, width = self.image.shape
        return {
            "sha256": self.sha256, "width": width, "height": height, "factor": self.image.factor,
            "unit": self.image.unit or None, "black": low, "white": high,
            "wcs": None if wcs is None else wcs.to_json(),
        }  # fmt: skip


def read_picture(site: Site, revision: str, path: str) -> Picture:
    """Return an image of a revision; its bytes are checked against the checksum.

    Raises:
        NotFound: The image does not exist, or it cannot be read.
        Withdrawn: The file was withdrawn.
        DamagedData: The file is missing from the store, or damaged.
    """
    item = site.repo().tap.file(revision, path, even_invalid=True)  # always refuses withdrawn files

    def read() -> Picture:
        with tempfile.NamedTemporaryFile(suffix=".fits") as file:
            file.writelines(item.checked())
            file.flush()
            try:
                image = first_image(Path(file.name))
            except FitsError as error:
                raise NotFound(f"{path} of {revision} cannot be drawn: {error}") from None
        if image is None:
            raise NotFound(f"{path} of {revision} has no image in it")
        return Picture(item.sha256, image)

    return site.pictures.get(("image", item.sha256), read, lambda each: each.image.pixels.nbytes + 5000)


def shrunk(pixels: Values, side: int) -> tuple[Values, int]:
    """Return an image whose sides are at most `side` pixels long, by averaging squares of pixels."""
    factor = max(1, -(-max(pixels.shape) // max(8, side)))
    if factor == 1:
        return pixels, 1
    height, width = (-(-size // factor) * factor for size in pixels.shape)
    padded = np.full((height, width), np.nan)
    padded[: pixels.shape[0], : pixels.shape[1]] = pixels
    blocks = padded.reshape(height // factor, factor, width // factor, factor)
    known = np.isfinite(blocks)
    count = known.sum(axis=(1, 3))
    total = np.where(known, blocks, 0.0).sum(axis=(1, 3))
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0), factor


def draw(site: Site, picture: Picture, side: int, stretch: tuple[float | None, float | None] | None = None) -> bytes:
    """Return a PNG of an image."""
    low, high = stretch or picture.stretch
    return site.pictures.get(
        ("png", picture.sha256, side, low, high),
        lambda: png(grey(shrunk(picture.image.pixels, side)[0], low, high), 1),
        len,
    )


def shared_stretch(pictures: Sequence[Picture]) -> tuple[float | None, float | None]:
    """Return the values that are shown as black and as white, common to several images."""
    return bounds([each.image.pixels for each in pictures])


def draw_difference(site: Site, old: Picture, new: Picture, side: int) -> tuple[bytes, float] | None:
    """Return a PNG of new minus old, and the change that has full colour; None if the shapes differ."""
    if old.image.shape != new.image.shape:
        return None

    def make() -> tuple[bytes, float]:
        change, _ = shrunk(new.image.pixels - old.image.pixels, side)
        limit = float(np.max(np.abs(change), where=np.isfinite(change), initial=0.0))
        return png(diverging(change, limit), 1), limit

    return site.pictures.get(("difference", old.sha256, new.sha256, side), make, lambda each: len(each[0]))


@dataclass(frozen=True)
class Ellipse:
    """An aperture on an image, in pixels from the upper left corner.

    Attributes:
        x: The horizontal position of the centre.
        y: The vertical position of the centre.
        a: The semi-major axis.
        b: The semi-minor axis.
        angle: The direction of the major axis in degrees, clockwise from the x axis.
        kind: "global" or "local".
    """

    x: float
    y: float
    a: float
    b: float
    angle: float
    kind: str


def ellipses(picture: Picture, apertures: Sequence[dict[str, Any]]) -> list[Ellipse]:
    """Return the apertures that can be drawn on an image."""
    wcs = picture.wcs
    return [] if wcs is None else [found for each in apertures if (found := _ellipse(picture, wcs, each)) is not None]


def _ellipse(picture: Picture, wcs: Wcs, aperture: dict[str, Any]) -> Ellipse | None:
    keys = ("ra_deg", "dec_deg", "semi_major_axis_arcsec", "semi_minor_axis_arcsec")
    numbers = [aperture.get(key) for key in keys]
    if not all(isinstance(each, int | float) and math.isfinite(each) for each in numbers):
        return None
    ra, dec, major, minor = (float(each) for each in numbers if each is not None)
    pixel = wcs.pixel(ra, dec)
    if pixel is None or major <= 0 or minor <= 0:
        return None
    turned = aperture.get("orientation_deg") or 0.0
    east = 1 if wcs.east_is_counterclockwise else -1
    angle = wcs.north + east * (float(turned) if isinstance(turned, int | float) else 0.0)
    height = picture.image.shape[0]
    kind = "local" if aperture.get("type") == "local" else "global"
    return Ellipse(pixel[0] - 0.5, height - pixel[1] + 0.5, major / wcs.scale, minor / wcs.scale, -angle, kind)


def framed(site: Site, picture: Picture, side: int, apertures: Sequence[dict[str, Any]]) -> str:
    """Return a self-contained SVG of an image with the apertures drawn over it."""
    return svg(picture, draw(site, picture, side), ellipses(picture, apertures))


def svg(picture: Picture, data: bytes, over: Sequence[Ellipse]) -> str:
    """Return an SVG of a PNG of a picture, with apertures drawn over it."""
    height, width = picture.image.shape
    line = max(width, height) / 160
    coloured = {"global": "#6fd3ff", "local": "#ffd166"}
    drawn = "".join(
        f'<ellipse cx="{each.x:.2f}" cy="{each.y:.2f}" rx="{each.a:.2f}" ry="{each.b:.2f}" '
        f'transform="rotate({each.angle:.2f} {each.x:.2f} {each.y:.2f})" stroke="{coloured[each.kind]}"/>'
        for each in over
    )
    encoded = base64.b64encode(data).decode("ascii")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">'
        f'<image href="data:image/png;base64,{encoded}" width="{width}" height="{height}" '
        f'image-rendering="pixelated" preserveAspectRatio="none"/>'
        f'<g fill="none" stroke-width="{line:.2f}" stroke-opacity="0.9">{drawn}</g></svg>'
    )
