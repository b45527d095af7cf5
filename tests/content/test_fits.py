import bz2
import gzip
import lzma
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
    assert changes["EXPTIME"] == {
        "keyword": "EXPTIME", "state": "changed", "old": 30.0, "new": 30.1, "shown": ["30.0", "30.1"],
    }  # fmt: skip
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
        (lambda data: data[:18879], "truncated FITS: 18879 of 20160 bytes"),
        (lambda data: data + b"\0" * 2880 + b"x", "malformed FITS: 2881 unexpected bytes at 20160"),
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


def by_hand(*cards: str, fill: bytes = b" ", end: bytes = b"END".ljust(80), data: bytes = b"\1\2\3\4") -> bytes:
    """A primary HDU of four bytes, written so that any card can be in it."""
    head = ["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 1", "NAXIS1  = 4", *cards]
    text = b"".join(card.ljust(80).encode("ascii") for card in head) + end
    return text + fill * (-len(text) % 2880) + data.ljust(2880, b"\0")


SLOPPY = {
    "last block not padded": lambda data: data[:2884],
    "last block cut elsewhere": lambda data: data[:-1],
    "a block of NULs behind": lambda data: data + b"\0" * 2880,
    "some NULs behind": lambda data: data + b"\0" * 7,
    "blanks behind": lambda data: data + b" " * 2880,
    "NULs for blanks": lambda data: data[:2880].replace(b"    ", b"\0\0\0\0") + data[2880:],
    "gzip inside": gzip.compress,
    "bzip2 inside": bz2.compress,
    "xz inside": lzma.compress,
}


@pytest.mark.parametrize("spoil", SLOPPY.values(), ids=SLOPPY)
def test_sloppy_files_that_are_complete_compare_by_content(tmp_path: Path, spoil) -> None:
    sound, old, new, other = (tmp_path / name for name in "abcd")
    nul = by_hand("DATE    = 'a'", fill=b"\0", end=b"END".ljust(80, b"\0"))
    for path, data in (
        (sound, by_hand("DATE    = 'z'")),
        (old, spoil(nul)),
        (new, spoil(by_hand("DATE    = 'b'", fill=b"\0", end=b"END".ljust(80, b"\0")))),
        (other, spoil(by_hand("DATE    = 'b'", data=b"\1\2\3\5"))),
    ):
        path.write_bytes(data)
    assert probe(NAME, old) is None
    for pair in ((old, new), (sound, old), (old, sound)):
        verdict = same(NAME, *pair, T)
        assert (verdict.equal, verdict.how) == (True, "content")
        assert str(verdict.note).endswith("compared by content")
    assert not same(NAME, new, other, T).equal
    assert describe(NAME, new, other, T).parts[0].numbers is not None


def test_a_note_says_what_is_sloppy(tmp_path: Path) -> None:
    for name, data in (("a", by_hand()), ("b", gzip.compress(by_hand()[:2884])), ("c", by_hand() + b"\0" * 9)):
        (tmp_path / name).write_bytes(data)
    notes = [same(NAME, tmp_path / "a", tmp_path / name, T).note for name in "abc"]
    assert notes == [
        None,
        "new version: gzip inside, last block not padded; compared by content",
        "new version: 9 bytes of fill behind the last HDU; compared by content",
    ]
    assert describe(NAME, tmp_path / "c", tmp_path / "c", T).note == (
        "both versions: 9 bytes of fill behind the last HDU; compared by content"
    )


@pytest.mark.parametrize(
    "data",
    [gzip.compress(by_hand())[:-9], gzip.compress(b"hello"), b"\x1f\x8bgarbage"],
    ids=["cut", "no FITS", "garbage"],
)
def test_what_cannot_be_unpacked_completely_is_bytes(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(by_hand())
    (tmp_path / "b").write_bytes(data)
    verdict = same(NAME, tmp_path / "a", tmp_path / "b", T)
    assert (verdict.equal, verdict.how) == (False, "bytes")
    assert probe(NAME, tmp_path / "b") is not None


def test_a_header_alone_may_end_with_its_last_card(tmp_path: Path) -> None:
    for name, date in (("a", "'x'"), ("b", "'y'")):
        head = ["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0", f"DATE    = {date}", "END"]
        (tmp_path / name).write_bytes("".join(card.ljust(80) for card in head).encode("ascii").rstrip())
    assert same(NAME, tmp_path / "a", tmp_path / "b", T).how == "content"
    assert same(NAME, tmp_path / "a", tmp_path / "b", T).equal


@pytest.mark.parametrize(
    "card", ["NAXISTXT= 'two axes'", "NAXIS_Z = 1.5", "NAXIS9  = 'unused'", "NAXIS   is the number of axes",
             "BITPIX  was 16", "PCOUNT  = 'none'", "GROUPS  = 'x'", "TFIELDS = 'none'"],
)  # fmt: skip
def test_cards_that_only_begin_like_those_of_the_structure(tmp_path: Path, card: str) -> None:
    (tmp_path / "a").write_bytes(by_hand(card, "DATE    = 'a'"))
    (tmp_path / "b").write_bytes(by_hand(card, "DATE    = 'b'"))
    (tmp_path / "c").write_bytes(by_hand(card[:-1] + "~", "DATE    = 'b'"))
    verdict = same(NAME, tmp_path / "a", tmp_path / "b", T)
    assert (verdict.equal, verdict.how, verdict.note) == (True, "content", None)
    assert not same(NAME, tmp_path / "a", tmp_path / "c", T).equal


def test_text_behind_the_end_is_content(tmp_path: Path) -> None:
    for name, text in (("a", b"one"), ("b", b"two")):
        (tmp_path / name).write_bytes(by_hand(end=b"END".ljust(80) + text.ljust(80)))
    assert str(describe(NAME, tmp_path / "a", tmp_path / "b", T).parts[0].cards[0]) == 'END: "one" -> "two"'


def test_kept_checksums_of_a_compressed_image_do_not_count(tmp_path: Path) -> None:
    for name in "ab":
        column = fits.Column("COMPRESSED_DATA", "1PB()", array=np.array([np.arange(9, dtype="u1")] * 2, dtype=object))
        hdu = fits.BinTableHDU.from_columns([column])
        hdu.header.update(ZIMAGE=True, ZCMPTYPE="RICE_1", ZHECKSUM=name, ZDATASUM=name, DATE=name)
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(tmp_path / name)
    assert same("a.fits.fz", tmp_path / "a", tmp_path / "b", T).equal
    assert same("a.fits.gz", tmp_path / "a", tmp_path / "b", T).how == "content"
