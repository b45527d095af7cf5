"""Rows of FITS tables: equal values in different bytes are equal, and no other values are."""

import struct
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from blastgit.content import Tolerance, describe, same

NAME = "catalogue.fits"
T = Tolerance()
VALUES = ((1.0,), (2.0, 3.0), (4.0, 5.0, 6.0))


def judge(folder: Path, old: bytes, new: bytes) -> bool:
    """Whether two files are equal: both ways round, and as `describe` has it."""
    (folder / "old").write_bytes(old)
    (folder / "new").write_bytes(new)
    verdicts = [same(NAME, folder / one, folder / other, T) for one, other in (("old", "new"), ("new", "old"))]
    shown = describe(NAME, folder / "old", folder / "new", T)
    assert [verdict.how for verdict in verdicts] == ["content", "content"]
    assert {verdict.equal for verdict in verdicts} == {not shown.parts}
    return not shown.parts


def block(cards: list[str]) -> bytes:
    text = "".join(card.ljust(80) for card in [*cards, "END"])
    return text.ljust(-(-len(text) // 2880) * 2880).encode()


def with_heap(
    values: tuple[tuple[float, ...], ...] = VALUES, order: tuple[int, ...] = (0, 1, 2), *,
    gap: int = 0, room: int = 0, place: str = "P", most: int = 3,
) -> bytes:  # fmt: skip
    """A table of one column of arrays, written by hand: where in the heap they lie is up to the writer."""
    heap, at = b"", {}
    for number in order:
        heap += b"\xaa" * gap
        at[number] = len(heap)
        heap += np.array(values[number], ">f8").tobytes()
    form = ">qq" if place == "Q" else ">ii"
    table = b"".join(struct.pack(form, len(each), at[number]) for number, each in enumerate(values))
    data = table + b"\xbb" * room + heap
    cards = [
        "XTENSION= 'BINTABLE'", "BITPIX  = 8", "NAXIS   = 2", f"NAXIS1  = {struct.calcsize(form)}", "NAXIS2  = 3",
        f"PCOUNT  = {room + len(heap)}", "GCOUNT  = 1", "TFIELDS = 1", f"TFORM1  = '1{place}D({most})'",
        *([f"THEAP   = {len(table) + room}"] if room else []),
    ]  # fmt: skip
    primary = block(["SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0"])
    return primary + block(cards) + data + bytes(-len(data) % 2880)


@pytest.mark.parametrize(
    "new",
    [
        with_heap(order=(2, 0, 1)),
        with_heap(gap=8),
        with_heap(room=16),
        with_heap(place="Q"),
        with_heap(most=99),
        with_heap(((1.0,), (2.0, 3.0 + 4e-16), (4.0, 5.0, 6.0)), gap=8),
    ],
    ids=["order", "gaps", "THEAP", "64-bit places", "stated maximum", "noise"],
)
def test_how_a_heap_is_kept_is_no_content(tmp_path: Path, new: bytes) -> None:
    assert judge(tmp_path, with_heap(), new)


@pytest.mark.parametrize(
    "new",
    [
        with_heap(((1.1,), (2.0, 3.0), (4.0, 5.0, 6.0))),
        with_heap(((1.0, 2.0), (3.0,), (4.0, 5.0, 6.0))),
        with_heap(((1.0,), (2.0, 3.0), (4.0, 5.0))),
        with_heap(((1.0,), (2.0, 3.0), (4.0, 5.0, float("nan"))), order=(2, 1, 0)),
        with_heap(((1.0,), (3.0, 2.0), (4.0, 5.0, 6.0)), place="Q"),
    ],
    ids=["value", "other rows", "fewer", "NaN", "order within a row"],
)
def test_what_a_heap_holds_is(tmp_path: Path, new: bytes) -> None:
    assert not judge(tmp_path, with_heap(), new)


def test_a_place_outside_the_heap_is_compared_as_bytes(tmp_path: Path) -> None:
    data = with_heap()
    (tmp_path / "old").write_bytes(data)
    (tmp_path / "new").write_bytes(data[:5760] + struct.pack(">ii", 9, 9) + data[5768:])
    verdict = same(NAME, tmp_path / "old", tmp_path / "new", T)
    assert (verdict.equal, verdict.how) == (False, "bytes")
    assert "not in its heap" in str(verdict.note)


def table(folder: Path, *columns: fits.Column, **cards: object) -> bytes:
    hdu = fits.BinTableHDU.from_columns(list(columns))
    hdu.header.update(cards)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(folder / "table", overwrite=True)
    return (folder / "table").read_bytes()


@pytest.mark.parametrize(
    ("text", "equal"),
    [(b"abc   ", True), (b"abc\0xy", True), (b"abc \0\0", True), (b"abd\0\0\0", False), (b" abc\0\0", False),
     (b"ab\0\0\0\0", False), (b"abcd\0\0", False), (b"\0abc\0\0", False)],
)  # fmt: skip
def test_texts_end_at_a_nul_or_with_blanks(tmp_path: Path, text: bytes, equal: bool) -> None:
    old = table(tmp_path, fits.Column("s", "6A", array=["abc"] * 2))
    assert judge(tmp_path, old, old.replace(b"abc\0\0\0", text, 1)) is equal


def test_no_text_is_not_a_blank_one_and_texts_side_by_side_are_exact(tmp_path: Path) -> None:
    old = table(tmp_path, fits.Column("s", "6A", array=["abc"]))
    none, blank = (old.replace(b"abc\0\0\0", text) for text in (b"\0" * 6, b" " * 6))
    assert not judge(tmp_path, none, blank)
    pair = table(tmp_path, fits.Column("s", "6A", array=["abc"]), TDIM1="(3,2)")
    assert not judge(tmp_path, pair.replace(b"abc\0\0\0", b"a\0\0bcd"), pair.replace(b"abc\0\0\0", b"a\0\0bce"))


def test_bits_that_fill_the_last_byte_are_no_content(tmp_path: Path) -> None:
    old = table(tmp_path, fits.Column("b", "11X", array=np.ones((1, 11), bool)))
    at = old.rindex(b"\xff\xe0")
    for last, equal in ((0xE1, True), (0xFF, True), (0xC0, False)):
        assert judge(tmp_path, old, old[: at + 1] + bytes([last]) + old[at + 2 :]) is equal


@pytest.mark.parametrize(
    ("card", "equal"),
    [
        ({"TSCAL1": 1.0, "TZERO1": 0.0}, True), ({"BSCALE": 1, "BZERO": 0.0}, True), ({"EXTEND": True}, True),
        ({"LONGSTRN": "OGIP 1.0"}, True), ({"TFORM1": "1I"}, True), ({"TSCAL1": 2.0}, False), ({"TZERO1": 1}, False),
        ({"TSCAL1": "1"}, False), ({"TNULL1": 1}, False), ({"TUNIT1": "Jy"}, False), ({"TDIM1": "(1)"}, False),
        ({"BZERO": 32768}, False),
    ],
    ids=str,
)  # fmt: skip
def test_cards_that_say_what_holds_without_them(tmp_path: Path, card: dict[str, object], equal: bool) -> None:
    column = fits.Column("x", "I", array=np.arange(3, dtype="i2"))
    old, new = table(tmp_path, column), table(tmp_path, column)
    for keyword, value in card.items():
        text = str(fits.Card(keyword, value)).encode()
        if keyword == "TFORM1":
            new = new.replace(b"TFORM1  = 'I       '".ljust(80), text)
        else:
            new = new.replace(b"END".ljust(80) + b" " * 80, text + b"END".ljust(80), 2)
            new = old[:2880] + new[2880:]
    assert judge(tmp_path, old, new) is equal


def test_a_second_card_is_never_taken_for_granted(tmp_path: Path) -> None:
    column = fits.Column("x", "I", array=np.arange(3, dtype="i2"))
    old = table(tmp_path, column, BSCALE=1.0)
    new = old.replace(b"END".ljust(160), b"BSCALE  = 2.0".ljust(80) + b"END".ljust(80))
    assert not judge(tmp_path, old, new)


@pytest.mark.parametrize("card", ["TFORM1  = '1J'", "TFORM2  = '1J'", "THEAP   = 99"])
def test_cards_that_say_nothing_of_the_layout_count(tmp_path: Path, card: str) -> None:
    old = table(tmp_path, fits.Column("x", "I", array=np.arange(3, dtype="i2")), THEAP=6, TFORM3="x")
    new = old.replace(b"END".ljust(160), card.encode().ljust(80) + b"END".ljust(80))
    assert new[2880:] != old[2880:]
    assert not judge(tmp_path, old, old[:2880] + new[2880:])


def test_the_order_of_extensions_counts(tmp_path: Path) -> None:
    images = [fits.ImageHDU(np.arange(3.0) + number, name=name) for number, name in enumerate("AB")]
    for name, each in (("old", images), ("new", images[::-1])):
        fits.HDUList([fits.PrimaryHDU(), *each]).writeto(tmp_path / name)
    assert not same(NAME, tmp_path / "old", tmp_path / "new", T).equal
