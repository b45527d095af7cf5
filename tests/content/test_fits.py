from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from blastgit.content import Tolerance, describe, probe, same

NAME = "cutout_cdn/DES/DES_z.fits"
T = Tolerance()


def write(path: Path, data: np.ndarray | None, **cards: object) -> Path:
    hdu = fits.PrimaryHDU(data)
    hdu.header.update({key.replace("_", "-"): value for key, value in cards.items()})
    hdu.writeto(path, overwrite=True)
    return path


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(1).normal(100, 10, (40, 50))


@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "i8", "f4", "f8"])
def test_every_pixel_type(tmp_path: Path, pixels: np.ndarray, dtype: str) -> None:
    data = pixels.astype(dtype)
    old, same_again = write(tmp_path / "a", data), write(tmp_path / "b", data, DATE="2020-01-01")
    data[3, 4] += 1
    new = write(tmp_path / "c", data)
    assert same(NAME, old, same_again, T).equal
    verdict = same(NAME, old, new, T)
    assert (verdict.equal, verdict.how, verdict.note) == (False, "content", None)
    difference = describe(NAME, old, new, T)
    numbers = difference.parts[0].numbers
    assert numbers is not None
    assert (numbers.changed, numbers.total, numbers.unit) == (1, 2000, "pixels")
    assert numbers.largest == pytest.approx(1, rel=1e-5)
    assert difference.summary() == "1 of 2,000 pixels, largest 1, median 1"


def test_noise_and_undefined_pixels(tmp_path: Path, pixels: np.ndarray) -> None:
    pixels[0, :3] = np.nan, np.inf, -np.inf
    old = write(tmp_path / "a", pixels)
    noisy = np.where(np.isfinite(pixels), np.nextafter(pixels, 1e9), pixels)
    assert same(NAME, old, write(tmp_path / "c", noisy), T).equal
    assert not same(NAME, old, write(tmp_path / "d", noisy * (1 + 1e-9)), T).equal
    flipped = pixels.copy()
    flipped[0, 1] = -np.inf
    flipped[0, 0] = 1
    difference = describe(NAME, old, write(tmp_path / "e", flipped), T)
    assert difference.parts[0].numbers is not None
    assert difference.parts[0].numbers.undefined == 2
    assert difference.parts[0].numbers.largest is None
    assert "2 to or from NaN" in difference.summary()


def test_cards(tmp_path: Path, pixels: np.ndarray) -> None:
    old = write(tmp_path / "a", pixels, EXPTIME=30.0, FILTER="z", N=1, DATE="a", NOTE="x" * 100)
    equal = write(tmp_path / "b", pixels, DATE="b", CHECKSUM="c", NOTE="x" * 100, N=1, FILTER="z", EXPTIME=30 + 4e-15)
    assert same(NAME, old, equal, T).equal
    new = write(tmp_path / "c", pixels, EXPTIME=30.1, FILTER="z", N=True, NOTE="x" * 99 + "y", GAIN=float(2))
    changes = {card.keyword: card.to_json() for card in describe(NAME, old, new, T).parts[0].cards}
    assert set(changes) == {"EXPTIME", "N", "NOTE", "GAIN"}
    assert changes["EXPTIME"] == {"keyword": "EXPTIME", "state": "changed", "old": 30.0, "new": 30.1}
    assert changes["NOTE"]["new"] == "x" * 99 + "y"
    assert changes["GAIN"]["state"] == "added"
    assert describe(NAME, old, new, T).summary() == "4 cards"
    assert not same(NAME, old, equal, Tolerance(volatile_cards=frozenset())).equal


def test_history_counts_and_comments_of_cards_do_not(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    for path, comment, history in zip(paths, ["one", "two", "two"], ["h", "h", "k"], strict=True):
        hdu = fits.PrimaryHDU()
        hdu.header["N"] = (1, comment)
        hdu.header["HIERARCH ESO LONG NAME"] = 2.5
        hdu.header["Z"] = 1 + 2j
        hdu.header["QUOTED"] = "it's / here"
        hdu.header["HISTORY"] = history
        hdu.writeto(path)
    assert same(NAME, paths[0], paths[1], T).equal
    assert [card.keyword for card in describe(NAME, paths[1], paths[2], T).parts[0].cards] == ["HISTORY"]


def test_shape_and_type(tmp_path: Path, pixels: np.ndarray) -> None:
    old = write(tmp_path / "a", pixels)
    difference = describe(NAME, old, write(tmp_path / "b", pixels[:, :49].astype("f4")), T)
    assert "HDU PRIMARY: float64 40 x 50 -> float32 40 x 49" in difference.summary()
    assert difference.to_json()["hdus"][0]["new"] == {"dtype": "float32", "shape": [40, 49]}
    assert difference.parts[0].numbers is None


def test_hdus_added_and_removed(tmp_path: Path, pixels: np.ndarray) -> None:
    lone = write(tmp_path / "a", pixels)
    fits.HDUList([fits.PrimaryHDU(pixels), fits.ImageHDU(pixels, name="SKY")]).writeto(tmp_path / "b")
    parts = [part for part in describe(NAME, lone, tmp_path / "b", T).parts if part.index]
    assert [(part.name, part.state, part.index) for part in parts] == [("SKY", "added", 1)]
    assert "HDU removed: SKY" in describe(NAME, tmp_path / "b", lone, T).summary()
    assert not same(NAME, lone, tmp_path / "b", T).equal


def table(path: Path, flux: np.ndarray, text: str = "abc", **more: object) -> Path:
    columns = [
        fits.Column("flux", "D", array=flux),
        fits.Column("name", "5A", array=[text] * flux.size),
        fits.Column("pair", "2E", array=np.ones((flux.size, 2))),
        fits.Column("ok", "L", array=[True] * flux.size),
        fits.Column("bits", "11X", array=np.ones((flux.size, 11), bool)),
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name="T")
    hdu.header.update(more)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    return path


def test_tables_compare_rows(tmp_path: Path) -> None:
    flux = np.arange(1.0, 11.0)
    old = table(tmp_path / "a", flux)
    assert same(NAME, old, table(tmp_path / "b", flux * (1 + 2e-16)), T).equal
    flux[2] += 0.5
    difference = describe(NAME, old, table(tmp_path / "c", flux), T)
    assert difference.summary() == "1 of 10 rows, largest 0.5, median 0.5"
    assert describe(NAME, table(tmp_path / "d", flux, "abd"), tmp_path / "c", T).summary() == "10 of 10 rows"


def test_tables_with_a_heap_compare_bytes(tmp_path: Path) -> None:
    for name, last in (("a", 1.0), ("b", 1.0), ("c", 1.0 + 1e-15)):
        rows = np.empty(2, object)
        rows[:] = [np.array([1.0]), np.array([1.0, last])]
        hdu = fits.BinTableHDU.from_columns([fits.Column("v", "PD()", array=rows)])
        hdu.header["DATE"] = name
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / name)
    assert same(NAME, tmp_path / "a", tmp_path / "b", T).equal
    assert " bytes" in describe(NAME, tmp_path / "a", tmp_path / "c", T).summary()


def test_a_large_image_is_read_in_pieces(tmp_path: Path) -> None:
    data = np.zeros((700, 700))
    old = write(tmp_path / "a", data)
    data[0, 0], data[-1, -1] = 1, 3
    numbers = describe(NAME, old, write(tmp_path / "b", data), T).parts[0].numbers
    assert numbers is not None
    assert (numbers.changed, numbers.largest, numbers.median) == (2, 3, 2)


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (lambda data: data[:-2880], "truncated FITS: 17280 of 20160 bytes"),
        (lambda data: data[:-1], "truncated FITS: 20159 of 20160 bytes"),
        (lambda data: data[:100], "truncated FITS: header without END in 100 bytes"),
        (lambda data: b"", "empty file"),
        (lambda data: b"hello" * 1000, "not FITS"),
        (lambda data: data + b"x" * 2880, "malformed FITS: 2880 unexpected bytes at 20160"),
        (lambda data: data.replace(b"NAXIS1  =                   50", b"NAXIS1  =                    ?"), "integer"),
        (lambda data: data.replace(b"BITPIX  =                  -64", b"BITPIX  =                   12"), "BITPIX 12"),
        (lambda data: data.replace(b"NAXIS   =                    2", b"NAXIS   = 99999999999999999999"), "axes"),
    ],
)
def test_malformed(tmp_path: Path, pixels: np.ndarray, cut, message: str) -> None:
    whole = write(tmp_path / "a", pixels)
    broken = tmp_path / "b"
    broken.write_bytes(cut(whole.read_bytes()))
    assert probe(NAME, whole) is None
    fault = probe(NAME, broken)
    assert fault is not None
    assert message in fault
    verdict = same(NAME, whole, broken, T)
    assert (verdict.equal, verdict.how) == (False, "bytes")
    assert verdict.note == f"new version: {fault}; compared as bytes"
    assert same(NAME, broken, broken, T).equal
    assert describe(NAME, whole, broken, T).kind == "bytes"


def test_random_groups_have_the_right_size(tmp_path: Path) -> None:
    groups = fits.GroupData(np.ones((5, 3, 4), "f4"), bitpix=-32, parnames=["u"], pardata=[np.arange(5.0)])
    fits.HDUList([fits.GroupsHDU(groups)]).writeto(tmp_path / "a")
    assert probe(NAME, tmp_path / "a") is None
