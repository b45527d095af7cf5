"""Survey cutouts as FITS files, written by hand because astropy is slow to import, and their JPEG thumbnails."""

from __future__ import annotations

import io
import math
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from blastgit.demo.bands import SURVEYS, Band
from blastgit.demo.scene import Scene, random

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.float32]

BLOCK = 2880  # bytes: FITS files consist of records of this size
_JULIAN_ZERO = date(1858, 11, 17)  # day 0 of the modified Julian date
_SERSIC = 1.5  # between a disk (1) and a bulge (4)


def cutout(scene: Scene, band: Band, pixels: int) -> bytes:
    """Paint one cutout: `pixels` squared, sky subtracted, north up and east left, centred on the transient."""
    return _header(scene, band, pixels) + _padded(_paint(scene, band, pixels).astype(">f4").tobytes(), b"\0")


def brighten(fits: bytes, factor: float, rng: np.random.Generator) -> bytes:
    """Return the same cutout with every pixel brighter by a factor, and with a little new noise."""
    header, pixels = split(fits)
    noise = np.float32(1e-3 * pixels.std()) * rng.standard_normal(pixels.shape, np.float32)
    return header + _padded((pixels * np.float32(factor) + noise).astype(">f4").tobytes(), b"\0")


def uncropped(fits: bytes) -> bytes:
    """Return the image as a survey delivers it: a larger field with the same centre."""
    header, pixels = split(fits)
    border = max(1, pixels.shape[0] // 4)
    wide = np.pad(pixels, border, mode="reflect")
    for keyword, value in (("NAXIS1", wide.shape[1]), ("NAXIS2", wide.shape[0])):
        header = _with_card(header, keyword, value)
    for axis, length in ((1, wide.shape[1]), (2, wide.shape[0])):
        header = _with_card(header, f"CRPIX{axis}", (length + 1) / 2)
    return header + _padded(wide.astype(">f4").tobytes(), b"\0")


def _with_card(header: bytes, keyword: str, value: float) -> bytes:
    at = next(at for at in range(0, len(header), 80) if header[at : at + 8] == f"{keyword:<8}".encode())
    return header[:at] + _card(keyword, value, "").encode() + header[at + 80 :]


def split(fits: bytes) -> tuple[bytes, Pixels]:
    """Return the header, including padding, and the pixels of a cutout that this module made."""
    end = next(at for at in range(0, len(fits), 80) if fits[at : at + 8] == b"END     ")
    start = -(-(end + 80) // BLOCK) * BLOCK
    cards = {fits[at : at + 8].strip(): fits[at + 10 : at + 30] for at in range(0, end, 80)}
    shape = int(cards[b"NAXIS2"]), int(cards[b"NAXIS1"])
    pixels = np.frombuffer(fits, ">f4", math.prod(shape), start).reshape(shape)
    return fits[:start], pixels.astype(np.float32)


def thumbnail(fits: bytes, side: int) -> bytes:
    """Return the JPEG picture of a cutout, `side` pixels wide, with faint parts enhanced as astronomers do."""
    _, pixels = split(fits)
    noise = float(np.percentile(np.abs(pixels), 30)) or 1.0
    grey = np.arcsinh(pixels[::-1] / (3 * noise))  # FITS starts at the bottom
    grey = np.clip(255 * grey / max(float(grey.max()), 1e-6), 0, 255).astype(np.uint8)
    picture = Image.fromarray(grey).resize((side, side)).convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80, optimize=True)
    return buffer.getvalue()


def side(thumbnail_jpeg: bytes) -> int:
    """Return the width of a thumbnail in pixels."""
    with Image.open(io.BytesIO(thumbnail_jpeg)) as picture:
        return picture.width


def _paint(scene: Scene, band: Band, pixels: int) -> Pixels:
    """Host, stars and noise in counts, float32 of shape (pixels, pixels)."""
    scale = SURVEYS[band.survey].pixel_arcsec
    counts = 10 ** (0.4 * (band.ab_zero_point - 23.9))  # of 1 µJy, which is AB magnitude 23.9
    axis = (np.arange(pixels, dtype=np.float32) - np.float32((pixels - 1) / 2)) * np.float32(scale)
    image = counts * scale**2 * (_host(scene, band, axis) + _stars(scene, band, axis))
    beam = math.pi * scene.semi_major_arcsec**2 * scene.axis_ratio / scale**2  # pixels in the aperture
    sigma = counts * scene.flux_error(band) / math.sqrt(max(beam, 1.0))
    noise = random(scene.name, scene.seed, "noise", band.name).standard_normal((pixels, pixels), np.float32)
    return (image + np.float32(sigma) * noise).astype(np.float32)


def _host(scene: Scene, band: Band, axis: Pixels) -> Pixels:
    """Surface brightness in µJy per square arcsecond of a Sersic ellipse, broadened by the seeing."""
    x, y = -axis[None, :] - np.float32(scene.host_east_arcsec), axis[:, None] - np.float32(scene.host_north_arcsec)
    angle = math.radians(scene.orientation_deg)
    along, across = x * math.sin(angle) + y * math.cos(angle), x * math.cos(angle) - y * math.sin(angle)
    half_light = math.hypot(scene.semi_major_arcsec / 2.5, band.fwhm_arcsec / 2.355)
    steepness = 2 * _SERSIC - 1 / 3
    radius = np.sqrt(along**2 + (across / scene.axis_ratio) ** 2) / half_light
    area = 2 * math.pi * _SERSIC * steepness ** (-2 * _SERSIC) * math.gamma(2 * _SERSIC) * half_light**2
    profile = np.exp(-steepness * radius ** (1 / _SERSIC))
    return np.asarray(scene.flux(band) / (area * scene.axis_ratio) * profile, np.float32)


def _stars(scene: Scene, band: Band, axis: Pixels) -> Pixels:
    """Surface brightness in µJy per square arcsecond: round Gaussians, computed as products of one-dimensional ones."""
    east, north, flux = np.array(scene.stars, np.float32).T
    width = np.float32(band.fwhm_arcsec / 2.355)
    columns = np.exp(-0.5 * np.square((-axis[None, :] - east[:, None]) / width))
    rows = np.exp(-0.5 * np.square((axis[None, :] - north[:, None]) / width))
    colour = min((band.wavelength / 6000) ** 4, (band.wavelength / 6000) ** -0.5)  # cool stars, dark in the ultraviolet
    peak = flux * np.float32(colour / (2 * math.pi * float(width) ** 2))
    return np.asarray((rows * peak[:, None]).T @ columns, np.float32)


def _header(scene: Scene, band: Band, pixels: int) -> bytes:
    survey = SURVEYS[band.survey]
    day = date(survey.first_year, 1, 1) + timedelta(int(random(scene.name, band.name, "day").integers(1000)))
    step = survey.pixel_arcsec / 3600
    cards: list[tuple[str, str | float | bool, str]] = [
        ("SIMPLE", True, "file conforms to the FITS standard"),
        ("BITPIX", -32, "IEEE single precision"),
        ("NAXIS", 2, ""),
        ("NAXIS1", pixels, ""),
        ("NAXIS2", pixels, ""),
        ("EXTEND", True, ""),
        ("ORIGIN", "blastgit demo", "invented data"),
        ("SURVEY", band.survey, ""),
        ("OBJECT", scene.name, ""),
        ("FILTER", band.name.partition("_")[2], ""),
        ("DATE-OBS", day.isoformat(), ""),
        ("MJD-OBS", float((day - _JULIAN_ZERO).days), "the same day"),
        ("EXPTIME", survey.exposure_s, "[s]"),
        ("BUNIT", "adu" if survey.units == "counts" else "adu/s", ""),
        ("MAGZP", band.ab_zero_point - band.ab_offset, "[mag] magnitude of one count"),
        ("SEEING", band.fwhm_arcsec, "[arcsec] FWHM"),
        ("SKYVAL", 0.0, "the sky is subtracted"),
        ("RADESYS", "ICRS", ""),
        ("CTYPE1", "RA---TAN", "gnomonic projection"),
        ("CTYPE2", "DEC--TAN", "gnomonic projection"),
        ("CUNIT1", "deg", ""),
        ("CUNIT2", "deg", ""),
        ("CRPIX1", (pixels + 1) / 2, ""),
        ("CRPIX2", (pixels + 1) / 2, ""),
        ("CRVAL1", scene.ra_deg, "[deg]"),
        ("CRVAL2", scene.dec_deg, "[deg]"),
        ("CD1_1", -step, "[deg] per pixel"),
        ("CD1_2", 0.0, ""),
        ("CD2_1", 0.0, ""),
        ("CD2_2", step, "[deg] per pixel"),
    ]
    text = "".join(_card(*card) for card in cards) + f"{'END':<80}"
    return _padded(text.encode("ascii"), b" ")


def _card(keyword: str, value: str | float | bool, comment: str) -> str:
    match value:
        case bool():
            field = f"{'T' if value else 'F':>20}"
        case str():
            field = f"{f'{value:<8}'!r:<20}"
        case _:
            field = f"{repr(value).upper():>20}"
    return f"{keyword:<8}= {field}{f' / {comment}' if comment else ''}"[:80].ljust(80)


def _padded(data: bytes, fill: bytes) -> bytes:
    return data + fill * (-len(data) % BLOCK)
