"""Images in compressed tiles equal their uncompressed images; astropy compresses them and gives the values."""

import re
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from blastgit.content import Tolerance, describe, same

NAME = "cutout_cdn/DES/DES_z.fits.fz"
T = Tolerance()
SHAPES = (None, (30, 41), (7, 13))


def image(dtype: str) -> np.ndarray:
    chance = np.random.default_rng(3)
    pixels = chance.normal(100, 9, (30, 41))
    pixels[3], pixels[4, :9] = 7, 0
    if dtype == "i4":
        pixels[5] = chance.integers(-(2**31), 2**31 - 1, 41)  # no step of which is small
    if dtype.startswith("f"):
        pixels[6, :4] = np.nan
    return pixels.astype(dtype)


def write(path: Path, pixels: np.ndarray, packing: str | None = None, **options: object) -> Path:
    hdu = fits.CompImageHDU(pixels, compression_type=packing, **options) if packing else fits.ImageHDU(pixels)
    hdu.header["OBJECT"] = "2026dgt"
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, overwrite=True)
    return path


@pytest.mark.parametrize("packing", ["RICE_1", "GZIP_1", "GZIP_2", "NOCOMPRESS"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "u2"])
def test_integers_are_equal_however_they_are_packed(tmp_path: Path, packing: str, dtype: str) -> None:
    pixels = image(dtype)
    plain = write(tmp_path / "plain", pixels)
    changed = pixels.copy()
    changed[29, 40] += 1
    for number, shape in enumerate(SHAPES):
        packed = write(tmp_path / f"{number}", pixels, packing, **({"tile_shape": shape} if shape else {}))
        for pair in ((plain, packed), (packed, plain), (tmp_path / "0", packed)):
            verdict = same(NAME, *pair, T)
            assert (verdict.equal, verdict.how) == (True, "content")
            assert f"tiles by {packing} in HDU 1" in str(verdict.note)
    other = describe(NAME, packed, write(tmp_path / "other", changed, "GZIP_1"), T)
    assert [part.numbers and part.numbers.changed for part in other.parts] == [1]
    assert other.parts[0].cards == ()


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    ("method", "packing"), [(-1, "RICE_1"), (1, "RICE_1"), (2, "RICE_1"), (2, "GZIP_2"), (1, "GZIP_1")]
)
def test_rounded_fractions_are_what_readers_see(tmp_path: Path, dtype: str, method: int, packing: str) -> None:
    seed = {"dither_seed": 9_990} if method > 0 else {}
    packed = write(tmp_path / "packed", image(dtype), packing, quantize_method=method, quantize_level=16, **seed)
    seen = fits.getdata(packed, 1)
    assert not np.array_equal(seen, image(dtype), equal_nan=True)
    assert same(NAME, packed, write(tmp_path / "plain", seen), T).equal
    seen[7, 7] *= 1.01
    assert not same(NAME, packed, write(tmp_path / "plain", seen), T).equal


def test_fractions_that_were_not_rounded(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", image("f4"))
    for packing in ("GZIP_1", "GZIP_2"):
        assert same(NAME, plain, write(tmp_path / packing, image("f4"), packing, quantize_level=0), T).equal


def test_a_primary_image_packed_by_fpack(tmp_path: Path) -> None:
    pixels = image("i2")
    fits.PrimaryHDU(pixels).writeto(tmp_path / "plain")
    packed = write(tmp_path / "packed", pixels, "RICE_1")
    data = re.sub(rb"ZTENSION= .{70}", b"ZSIMPLE =                    T".ljust(80), packed.read_bytes())
    packed.write_bytes(data.replace(str(fits.Card("OBJECT", "2026dgt")).encode(), b" " * 80))
    assert same(NAME, tmp_path / "plain", packed, T).equal
    pixels[0, 0] += 1
    fits.PrimaryHDU(pixels).writeto(tmp_path / "other")
    assert not same(NAME, tmp_path / "other", packed, T).equal


def test_cards_of_the_image_count(tmp_path: Path) -> None:
    packed = write(tmp_path / "packed", image("i2"), "RICE_1")
    other = write(tmp_path / "other", image("i2"), "GZIP_1")
    with fits.open(other, mode="update", disable_image_compression=True) as hdus:
        hdus[1].header["OBJECT"] = "2026dgu"
    assert [str(card) for card in describe(NAME, packed, other, T).parts[0].cards] == ["OBJECT: '2026dgt' -> '2026dgu'"]


def test_other_packings_and_other_columns_are_tables(tmp_path: Path) -> None:
    packed = write(tmp_path / "packed", image("i2"), "RICE_1")
    assert not same(NAME, packed, write(tmp_path / "other", image("i2"), "HCOMPRESS_1"), T).equal
    more = packed.read_bytes().replace(b"'COMPRESSED_DATA'", b"'COMPRESSED_DATE'")
    (tmp_path / "more").write_bytes(more)
    assert not same(NAME, packed, tmp_path / "more", T).equal


def test_damaged_tiles_are_compared_as_bytes(tmp_path: Path) -> None:
    for packing in ("RICE_1", "GZIP_1"):
        packed = write(tmp_path / "packed", image("i2"), packing)
        data = bytearray(packed.read_bytes())
        data[5760 + 30 * 8 + 20 :: 7] = bytes(len(data[5760 + 30 * 8 + 20 :: 7]))
        (tmp_path / "damaged").write_bytes(data)
        verdict = same(NAME, packed, tmp_path / "damaged", T)
        assert not verdict.equal
