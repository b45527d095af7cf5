"""Files that are small on disk but expand greatly are compared as bytes, with a note, before work is done."""

import gzip
import pickle
import struct
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from blastgit.content import budget, describe, probe, same
from blastgit.content.cards import parse
from blastgit.content.heaps import heap_fault
from blastgit.content.model import Tolerance
from blastgit.content.pickled import arrays_in

T = Tolerance()


def as_bytes(name: str, old: Path, new: Path) -> str:
    """Return the note of two versions that are compared as bytes, by each of the two ways to compare them."""
    verdict = same(name, old, new, T)
    assert (verdict.equal, verdict.how) == (False, "bytes")
    assert describe(name, old, new, T).note == verdict.note
    assert same(name, old, old, T).equal
    return verdict.note or ""


def npz(path: Path, last: float, count: int) -> Path:
    np.savez_compressed(path, **{f"a{number}": np.full(1000, last) for number in range(count)})
    return path


def test_members_of_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = npz(tmp_path / "a.npz", 1.0, 30), npz(tmp_path / "b.npz", np.nextafter(1.0, 2), 30)
    assert same("x.npz", old, new, T).equal
    monkeypatch.setattr(budget, "MEMBERS", 29)
    assert as_bytes("x.npz", old, new) == "both versions: more than 29 members; compared as bytes"


def test_bytes_to_unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = npz(tmp_path / "a.npz", 1.0, 5), npz(tmp_path / "b.npz", 2.0, 1)
    monkeypatch.setattr(budget, "RATIO", 1)
    monkeypatch.setattr(budget, "UNPACKED", 20_000)
    assert as_bytes("x.npz", old, new) == "old version: more than 20,000 bytes to unpack; compared as bytes"


@pytest.mark.parametrize("is_pointed_at", [True, False])
def test_the_directory_of_a_large_archive(tmp_path: Path, *, is_pointed_at: bool) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("a.npy", b"")
    data = (tmp_path / "x.npz").read_bytes()
    at = data.rfind(b"PK\5\6")
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, 1 << 33, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, at if is_pointed_at else 0, 1)
    (tmp_path / "x.npz").write_bytes(data[:at] + record + (b" " if is_pointed_at else b"") + locator + data[at:])
    assert "central directory above" in str(probe("x.npz", tmp_path / "x.npz"))


def fits(count: int, value: int) -> bytes:
    """Return a file of so many HDUs without data."""

    def header(*cards: str) -> bytes:
        text = "".join(card.ljust(80) for card in (*cards, f"A       = {value}", "END")).encode()
        return text.ljust(2880)

    first = header("SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0")
    return first + (count - 1) * header(
        "XTENSION= 'IMAGE   '", "BITPIX  = 8", "NAXIS   = 0", "PCOUNT  = 0", "GCOUNT  = 1"
    )


@pytest.mark.parametrize(("name", "most"), [("HDUS", 9), ("HEADERS", 9 * 2880)])
def test_hdus_and_their_headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: int) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(fits(10, 1))
    new.write_bytes(fits(10, 2))
    assert probe("x.fits", old) is None
    monkeypatch.setattr(budget, name, most)
    assert "both versions: FITS of more than" in as_bytes("x.fits", old, new)


def test_a_packed_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(gzip.compress(fits(10, 1)))
    new.write_bytes(gzip.compress(fits(10, 2)))
    monkeypatch.setattr(budget, "RATIO", 1)
    monkeypatch.setattr(budget, "UNPACKED", 9 * 2880)
    assert as_bytes("x.fits.gz", old, new) == "both versions: gzip of more than 25,920 bytes; compared as bytes"


def test_a_string_on_very_many_cards_is_read_in_one_go() -> None:
    count = 40_000
    cards = ["A       = 'x&'", *["CONTINUE  'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy&'"] * count]
    cards += ["CONTINUE  '  '", "CONTINUE  'no more of it'", "END"]
    found = parse("".join(card.ljust(80) for card in cards).encode())
    (value,) = found["A"]
    assert isinstance(value, str)
    assert len(value) == 1 + 62 * count


@pytest.mark.parametrize("what", ["attributes", "groups", "chunks", "bytes", "texts"])
def test_hdf5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    h5py = pytest.importorskip("h5py")
    for name in ("old", "new"):
        with h5py.File(tmp_path / name, "w") as file:
            file.attrs["name"] = name
            if what == "attributes":
                file.attrs.update({f"a{number}": number for number in range(30)})
            elif what == "groups":
                for number in range(30):
                    file.create_group(f"g{number}")
            elif what == "texts":
                file.create_dataset("x", (3000,), dtype=h5py.string_dtype())
            else:
                file.create_dataset("x", (30_000,), "f8", chunks=(1000,), compression="gzip")
    old, new = tmp_path / "old", tmp_path / "new"
    assert same("x.h5", old, new, T).how == "content"
    most = {"attributes": ("OBJECTS", 29), "groups": ("OBJECTS", 29), "chunks": ("CHUNKS", 29)}
    monkeypatch.setattr(budget, "RATIO", 0)
    monkeypatch.setattr(budget, *most.get(what, ("UNPACKED", 200_000)))
    note = describe("x.h5", old, new, T).note
    assert note is not None
    assert note.endswith("compared as bytes")


def test_heaps_that_overlap(tmp_path: Path) -> None:
    count = 20_000
    heap = b"GCOL\1\0\0\0" + struct.pack("<Q", 32 * count)
    (tmp_path / "x").write_bytes((heap + struct.pack("<QQ", 1, 16)) * count)  # each leads through all behind it
    assert "malformed HDF5" in str(heap_fault(tmp_path / "x", 8))


def nested(times: int = 60) -> bytes:
    """Return what makes a pickle push a tuple that holds itself twice, again and again."""
    return b"K\x01" + b"2\x86" * times


@pytest.mark.parametrize(
    "pickled",
    [
        b"\x80\x04}" + nested() + b"K\x01s.",
        b"\x80\x04}(" + nested() + b"K\x01u.",
        b"\x80\x04(" + nested() + b"K\x01d.",
        b"\x80\x04\x8f(" + nested() + b"\x90.",
        b"\x80\x04(" + nested() + b"\x91.",
    ],
)
def test_nothing_that_takes_for_ever_to_hash(pickled: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        arrays_in(pickled)


def test_what_is_plain_in_a_pickle_is_still_read() -> None:
    buffer = BytesIO()
    pickle.dump({"a": {1: [2.0, (3, "x")]}, "b": np.arange(3)}, buffer)
    found = arrays_in(buffer.getvalue())
    assert found["a"] == {1: [2.0, (3, "x")]}
    assert list(found["b"]) == [0, 1, 2]
