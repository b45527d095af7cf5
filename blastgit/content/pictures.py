"""Pictures of what changed in a FITS image: before, after and their difference."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image as Pillow

from blastgit.content.hdus import FitsError
from blastgit.content.images import Image, first_image
from blastgit.content.page import Entry, page
from blastgit.content.wcs import read_wcs

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Colours = NDArray[np.uint8]

__all__ = ["Entry", "Pictures", "bounds", "diverging", "grey", "page", "png", "render"]

PERCENTILES = (0.5, 99.5)
SMALLEST_SIDE = 256
_SOFTENING = 0.1
_UNDEFINED = (46, 139, 87)
_GAINED_OR_LOST = (255, 176, 0)
_NONE, _LOWER, _HIGHER = (245, 245, 245), (33, 102, 172), (178, 24, 43)


@dataclass(frozen=True, slots=True)
class Pictures:
    """Three PNG pictures, y axis up, and what their colours stand for.

    Attributes:
        before: the old image, None if there is none.
        after: the new image in the same stretch, None if there is none.
        difference: after minus before, None unless both exist in the same shape.
        low: value shown black in before and after; None if no pixel has a value.
        high: value shown white.
        limit: change shown in full red (positive) or blue (negative); colour grows with its square root.
        unit: physical unit of these values, perhaps empty.
        old_shape: (height, width) of the old image.
        new_shape: (height, width) of the new image.
        factor: pixels of the larger image along one side of the mean shown; 1 unless it exceeds 1024.
        wcs: where the image lies on the sky, as `Wcs.to_json` has it; None if that is not known.
    """

    before: bytes | None
    after: bytes | None
    difference: bytes | None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    unit: str = ""
    old_shape: tuple[int, int] | None = None
    new_shape: tuple[int, int] | None = None
    factor: int = 1
    wcs: dict[str, Any] | None = None


def render(old: Path | None, new: Path | None) -> Pictures:
    """Draw the first image of two versions of a FITS file.

    Before and after share one asinh stretch between the 0.5 and 99.5 percentiles of both together. Pixels without a
    value are green; in the difference, pixels that gained or lost their value are orange.

    Args:
        old: first version, or None.
        new: second version, or None.

    Returns:
        Pictures; those of a version that is None, malformed or without image are None.

    Raises:
        OSError: a file cannot be read.
    """
    before, after = _load(old), _load(new)
    low, high = bounds([image.pixels for image in (before, after) if image])
    difference, limit = _compared(before, after)
    present = [image for image in (after, before) if image]
    return Pictures(
        before=png(grey(before.pixels, low, high)) if before else None,
        after=png(grey(after.pixels, low, high)) if after else None,
        difference=difference,
        low=low,
        high=high,
        limit=limit,
        unit=present[0].unit if present else "",
        old_shape=before.shape if before else None,
        new_shape=after.shape if after else None,
        factor=max((image.factor for image in present), default=1),
        wcs=_sky(present),
    )


def _load(path: Path | None) -> Image | None:
    try:
        return first_image(path) if path else None
    except FitsError:
        return None


def _sky(images: list[Image]) -> dict[str, Any] | None:
    wcs = read_wcs(images[0].cards) if images else None
    return None if wcs is None else wcs.to_json()


def bounds(images: list[Values]) -> tuple[float | None, float | None]:
    """Values at the percentiles of all images together, None if there are no values."""
    known = [image[np.isfinite(image)] for image in images]
    values = np.concatenate([*known, np.empty(0)])
    if not values.size:
        return None, None
    low, high = np.percentile(values, PERCENTILES)
    return float(low), float(high)


def _compared(before: Image | None, after: Image | None) -> tuple[bytes | None, float | None]:
    """Picture of the difference and the change its full colours stand for."""
    if before is None or after is None or before.shape != after.shape:
        return None, None
    change = after.pixels - before.pixels
    limit = float(np.max(np.abs(change), where=np.isfinite(change), initial=0.0))
    colours = diverging(change, limit)
    colours[np.isfinite(before.pixels) != np.isfinite(after.pixels)] = _GAINED_OR_LOST
    return png(colours), limit


def grey(pixels: Values, low: float | None, high: float | None) -> Colours:
    """Colours (y, x, 3) of an image in the asinh stretch."""
    if low is None or high is None:
        return _filled(pixels, _UNDEFINED)
    # An image of one value has no range; it becomes black rather than a division by zero.
    relative = np.clip((pixels - low) / ((high - low) or 1.0), 0.0, 1.0)
    level = np.arcsinh(relative / _SOFTENING) / np.arcsinh(1.0 / _SOFTENING)
    known = np.isfinite(level)
    shade = np.where(known, level * 255.0, 0.0).astype(np.uint8)
    colours = np.stack([shade] * 3, axis=-1)
    colours[~known] = _UNDEFINED
    return colours


def diverging(change: Values, limit: float) -> Colours:
    """Colours (y, x, 3) from blue over near-white to red."""
    known = np.isfinite(change)
    strength = np.sqrt(np.abs(np.where(known, change, 0.0)) / (limit or 1.0))[..., np.newaxis]
    far = np.where(np.signbit(change)[..., np.newaxis], _LOWER, _HIGHER)
    colours: Colours = (np.asarray(_NONE) * (1.0 - strength) + far * strength).astype(np.uint8)
    colours[~known] = _UNDEFINED
    return colours


def _filled(pixels: Values, colour: tuple[int, int, int]) -> Colours:
    return np.full((*pixels.shape, 3), colour, dtype=np.uint8)


def png(colours: Colours, smallest: int = SMALLEST_SIDE) -> bytes:
    """A PNG with the first row at the bottom, enlarged by a whole factor if it is smaller than `smallest`."""
    flipped = np.ascontiguousarray(colours[::-1])
    is_grey = bool((flipped == flipped[..., :1]).all())  # a third of the bytes
    picture = Pillow.fromarray(flipped[..., 0] if is_grey else flipped)
    scale = -(-smallest // max(picture.size))
    if scale > 1:
        picture = picture.resize((picture.width * scale, picture.height * scale), Pillow.Resampling.NEAREST)
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
