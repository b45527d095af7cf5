import io
import pickle
import pickletools
import zipfile
from pathlib import Path

import numpy as np
import pytest

from blastgit.content import Tolerance, describe, probe, same
from blastgit.content import npz as module

NAME = "sed_output/2010H/2010H_modeldata.npz"
T = Tolerance()


def write(path: Path, **arrays: object) -> Path:
    with path.open("wb") as file:
        np.savez(file, **arrays)
    return path


def zipped(path: Path, *members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_noise_order_compression_and_byte_order_are_no_content(tmp_path: Path) -> None:
    a, b = np.linspace(1, 2, 1000), np.array(["x", "yy"])
    old = write(tmp_path / "a", a=a, b=b)
    noisy = np.nextafter(a, 9).astype(">f8")
    new = zipped(tmp_path / "b", ("b.npy", npy(b)), ("a.npy", npy(noisy)))
    assert same(NAME, old, new, T) == same(NAME, old, old, T)
    assert describe(NAME, old, new, T).summary() == "no difference"


def test_changes_are_described(tmp_path: Path) -> None:
    a = np.linspace(1, 2, 1000)
    old = write(tmp_path / "a", a=a, b=a, gone=a, n=np.arange(3))
    a2 = a * (1 + 1e-9)
    new = write(tmp_path / "b", a=a2, b=a[:10], fresh=a, n=np.arange(3))
    assert not same(NAME, old, new, T).equal
    difference = describe(NAME, old, new, T)
    by_name = {part["name"]: part for part in difference.to_json()["arrays"]}
    assert set(by_name) == {"a", "b", "gone", "fresh"}
    assert by_name["a"]["numbers"]["changed"] == 1000
    assert by_name["a"]["numbers"]["largest_relative"] == pytest.approx(1e-9, rel=1e-3)
    assert by_name["b"]["new"] == {"dtype": "float64", "shape": [10]}
    assert by_name["gone"]["state"] == "removed"
    assert "array added: fresh" in difference.summary()


@pytest.mark.parametrize("dtype", ["f8", ">f8", "f4", "i8", "?", "U3", "c16"])
def test_memory_order_is_no_content(tmp_path: Path, dtype: str) -> None:
    a = np.arange(1, 25).reshape(2, 3, 4).astype(dtype)
    old = write(tmp_path / "a", a=a)
    columns = write(tmp_path / "b", a=np.asfortranarray(a))
    assert same(NAME, old, columns, T) == same(NAME, columns, old, T) == same(NAME, old, old, T)
    assert describe(NAME, old, columns, T).parts == ()
    changed = a.copy()
    changed[1, 0, 2] = changed[1, 2, 0]
    new = write(tmp_path / "c", a=np.asfortranarray(changed))
    assert same(NAME, old, new, T).equal == (dtype == "?")
    if dtype != "?":
        assert describe(NAME, old, new, T).summary().startswith("1 of 24 values")


def test_transposed_is_not_another_memory_order(tmp_path: Path) -> None:
    a = np.arange(9.0).reshape(3, 3)
    assert not same(NAME, write(tmp_path / "a", a=a), write(tmp_path / "b", a=a.T), T).equal


def pickled(path: Path, core: str, protocol: int, **arrays: object) -> Path:
    """Write arrays of objects as a NumPy of the version whose core is called so would."""

    def written(value: object) -> bytes:
        array = np.asarray(value, object) if isinstance(value, list) else np.array(value, object)
        header = io.BytesIO()
        described = {"descr": "|O", "fortran_order": False, "shape": array.shape}
        np.lib.format.write_array_header_1_0(header, described)
        data = pickle.dumps(array, protocol)
        old = f"numpy.{core}".encode()
        if core == "core":  # shorter by a letter, which some opcodes count
            data = b"".join(_renamed(data))
        return header.getvalue() + (data if core == "core" else data.replace(b"numpy.core", old))

    return zipped(path, *((f"{name}.npy", written(value)) for name, value in arrays.items()))


def _renamed(data: bytes) -> list[bytes]:
    """Return a pickle in which modules are spelled as NumPy 1 spells them."""
    ends = [at for _, _, at in pickletools.genops(data)] + [len(data)]
    pieces = []
    for (code, argument, start), end in zip(pickletools.genops(data), ends[1:], strict=True):
        piece = data[start:end]
        if code.name == "FRAME":
            continue  # it counts bytes, and may be left out
        if isinstance(argument, str) and argument.startswith("numpy._core"):
            name = argument.replace("numpy._core", "numpy.core").replace(" ", "\n")
            piece = (
                b"c" + name.encode() + b"\n" if code.name == "GLOBAL" else b"\x8c" + bytes([len(name)]) + name.encode()
            )
        pieces.append(piece)
    return pieces


CHAIN = {"mass": np.linspace(9, 10, 50), "names": ["a", "b"], "n": 3, "best": np.float64(0.5), "nan": float("nan")}


@pytest.mark.parametrize("protocols", [(3, 4), (3, 3), (2, 5), (4, 4)])
def test_pickles_of_numpy_1_and_2_are_equal(tmp_path: Path, protocols: tuple[int, int]) -> None:
    old = pickled(tmp_path / "a", "core", protocols[0], chain=CHAIN, words=["x", 1, None])
    new = pickled(tmp_path / "b", "_core", protocols[1], chain=CHAIN, words=["x", 1, None])
    assert b"numpy.core" in zipfile.ZipFile(old).read("chain.npy")
    assert b"numpy._core" in zipfile.ZipFile(new).read("chain.npy")
    assert same(NAME, old, new, T) == same(NAME, old, old, T)
    assert describe(NAME, old, new, T).parts == ()


@pytest.mark.parametrize(
    ("change", "name", "summary"),
    [
        ({"mass": np.linspace(9, 10, 50) * (1 + 1e-9)}, "chain/mass", "50 of 50 values"),
        ({"mass": np.linspace(9, 10, 51)}, "chain/mass", "array chain/mass: float64 50 -> float64 51"),
        ({"names": ["a", "c"]}, "chain/names/1", "1 of 1 values"),
        ({"names": ("a", "b")}, "chain/names", "array chain/names: list 2 -> tuple 2"),
        ({"n": 3.0}, "chain/n", "array chain/n: int scalar -> float scalar"),
        ({"n": "3"}, "chain/n", "array chain/n: int scalar -> str scalar"),
        ({"n": 2**70}, "chain/n", "1 of 1 values"),
        ({"nan": 1.0}, "chain/nan", "1 of 1 values, 1 to or from NaN"),
        ({"more": 1}, "chain/more", "array added: chain/more"),
    ],
)
def test_what_differs_in_a_pickle_is_found_and_named(
    tmp_path: Path, change: dict[str, object], name: str, summary: str
) -> None:
    old = pickled(tmp_path / "a", "core", 3, chain=CHAIN)
    new = pickled(tmp_path / "b", "_core", 4, chain={**CHAIN, **change})
    assert not same(NAME, old, new, T).equal
    difference = describe(NAME, old, new, T)
    assert [part.name for part in difference.parts] == [name]
    assert difference.summary().startswith(summary)


def test_noise_in_a_pickle_is_no_content(tmp_path: Path) -> None:
    old = pickled(tmp_path / "a", "core", 3, chain=CHAIN)
    noisy = {**CHAIN, "mass": np.nextafter(CHAIN["mass"], 99), "best": np.nextafter(0.5, 1)}
    assert same(NAME, old, pickled(tmp_path / "b", "_core", 4, chain=noisy), T).equal


@pytest.mark.slow
def test_a_pickle_that_stands_for_very_much_is_compared_as_bytes(tmp_path: Path) -> None:
    value: list[object] = ["x"]
    for _ in range(40):
        value = [value, value]
    one, other = ({"bomb": value, "n": n} for n in (1, 2))
    verdict = same(NAME, pickled(tmp_path / "a", "_core", 4, c=one), pickled(tmp_path / "b", "_core", 4, c=other), T)
    assert not verdict.equal


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('unpickled')",))


def test_pickled_objects_are_bytes_and_never_run(tmp_path: Path) -> None:
    trap = np.empty((), object)
    trap[()] = Trap()
    with pytest.raises(SystemExit):
        pickle.loads(pickle.dumps(Trap()))
    old = write(tmp_path / "a", chains=trap, a=np.ones(2))
    trap[()] = [Trap(), 1]
    new = write(tmp_path / "b", chains=trap, a=np.ones(2))
    assert probe(NAME, old) is None
    assert same(NAME, old, old, T).equal
    verdict = same(NAME, old, new, T)
    assert (verdict.equal, verdict.how, verdict.note) == (False, "content", None)
    assert [part.name for part in describe(NAME, old, new, T).parts] == ["chains"]
    nested = np.zeros(1, [("o", "O"), ("x", "f8")])
    assert same(NAME, write(tmp_path / "c", n=nested), write(tmp_path / "d", n=nested), T).equal


def declare(path: Path, size: int) -> None:
    """Change the uncompressed size in the central directory and the local header."""
    data = bytearray(path.read_bytes())
    data[22:26] = size.to_bytes(4, "little")
    at = data.rfind(b"PK\1\2")
    data[at + 24 : at + 28] = size.to_bytes(4, "little")
    path.write_bytes(data)


@pytest.mark.parametrize("change", [-1, 1, -500])
def test_a_member_must_be_as_long_as_declared(tmp_path: Path, change: int) -> None:
    sound = zipped(tmp_path / "a", ("a.npy", npy(np.zeros(1000))))
    bomb = zipped(tmp_path / "b", ("a.npy", npy(np.zeros(1000))))
    declare(bomb, len(npy(np.zeros(1000))) + change)
    verdict = same(NAME, sound, bomb, T)
    assert (verdict.equal, verdict.how) == (False, "bytes")
    assert verdict.note is not None
    assert verdict.note.startswith("new version: ")
    assert same(NAME, bomb, bomb, T).equal


def test_too_large_members_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = zipped(tmp_path / "a", ("a.npy", npy(np.zeros(1000))))
    declare(old, 0xFFFFFFF0)
    monkeypatch.setattr(module, "LARGEST_MEMBER", 1 << 31)
    verdict = same(NAME, old, old, T)
    assert verdict.note == "both versions: member a.npy declares 4294967280 bytes; compared as bytes"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_odd_archives_are_compared_as_bytes(tmp_path: Path) -> None:
    plain = npy(np.zeros(3))
    good = zipped(tmp_path / "good", ("a.npy", plain))
    odd = {
        "two members": zipped(tmp_path / "0", ("a.npy", plain), ("a.npy", npy(np.ones(3)))),
        "unsupported compression": zipped(tmp_path / "1", ("a.npy", plain), compression=zipfile.ZIP_LZMA),
        "array header": zipped(tmp_path / "2", ("a.npy", b"\x93NUMPY\2\0\xff\xff\xff\x7f")),
        "not of the size": zipped(tmp_path / "3", ("a.npy", plain[:-8])),
    }
    for reason, path in odd.items():
        verdict = same(NAME, good, path, T)
        assert (verdict.equal, verdict.how) == (False, "bytes"), reason
        assert reason in str(verdict.note)


@pytest.mark.parametrize(
    "header", [b"{'descr': '<f8'", b"{}", b"[1]", b"((((" * 99, b"{'descr': 'what', 'fortran_order': 0, 'shape': ()}"]
)
def test_malformed_array_headers(tmp_path: Path, header: bytes) -> None:
    good = zipped(tmp_path / "good", ("a.npy", npy(np.zeros(3))))
    bad = zipped(tmp_path / "bad", ("a.npy", b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header))
    assert same(NAME, good, bad, T).how == "bytes"
    assert describe(NAME, good, bad, T).kind == "bytes"


def test_probe(tmp_path: Path) -> None:
    good = write(tmp_path / "a", a=np.zeros(1000))
    size = good.stat().st_size
    assert probe(NAME, good) is None
    broken = tmp_path / "b"
    for data, message in [
        (good.read_bytes()[:-100], f"truncated zip: no central directory in {size - 100} bytes"),
        (good.read_bytes()[1000:], f"truncated zip: {size - 1000} of {size} bytes"),
        (b"", "empty file"),
    ]:
        broken.write_bytes(data)
        assert probe(NAME, broken) == message
        assert same(NAME, good, broken, T).note == f"new version: {message}; compared as bytes"
    with zipfile.ZipFile(good, "a") as archive:
        archive.comment = b"a comment"
    assert probe(NAME, good) is None


def test_damaged_data_are_blamed_on_their_file(tmp_path: Path) -> None:
    good = write(tmp_path / "a", a=np.zeros(1000))
    data = bytearray(good.read_bytes())
    data[2000] ^= 1
    (tmp_path / "b").write_bytes(data)
    verdict = same(NAME, tmp_path / "b", good, T)
    assert verdict.how in ("content", "bytes")
    assert not verdict.equal
    assert "old version: Bad CRC-32" in str(describe(NAME, tmp_path / "b", good, T).note)


FIELDS = [("a", "i1"), ("b", "f8"), ("c", [("d", "i2"), ("e", "f4")])]


def records(*, align: bool, b: float = 1.0, gap: int = 0) -> np.ndarray:
    packed = np.array([(1, b, (2, 3.0))] * 4, FIELDS)
    if not align:
        return packed
    kind = np.dtype([(n, np.dtype(t, align=True) if isinstance(t, list) else t) for n, t in FIELDS], align=True)
    array = np.frombuffer(bytearray([gap]) * (4 * kind.itemsize), kind).copy()
    for name in "ab":
        array[name] = packed[name]
    for name in "de":
        array["c"][name] = packed["c"][name]
    return array


def test_gaps_between_fields_are_no_content(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.npz" for name in ("packed", "aligned", "filled", "other", "aligned_other")]
    arrays = [
        records(align=False), records(align=True), records(align=True, gap=0x55), records(align=False, b=2.0),
        records(align=True, b=2.0),
    ]  # fmt: skip
    for path, array in zip(paths, arrays, strict=True):
        np.savez(path, x=array)
    packed, aligned, filled, other, aligned_other = paths
    assert arrays[0].dtype.itemsize < arrays[1].dtype.itemsize
    for pair, which in (
        ((packed, aligned), "new version"),
        ((aligned, packed), "old version"),
        ((aligned, filled), "both versions"),
    ):
        verdict = same(NAME, *pair, T)
        assert (verdict.equal, verdict.how) == (True, "content")
        assert verdict.note == f"{which}: gaps between the fields of x; compared by content"
    for pair in ((packed, other), (aligned, other), (packed, aligned_other), (aligned, aligned_other)):
        assert not same(NAME, *pair, T).equal
        numbers = describe(NAME, *pair, T).parts[0].numbers
        assert numbers is not None
        assert (numbers.changed, numbers.largest) == (4, 1.0)


@pytest.mark.parametrize("kinds", [("U4", "U9"), ("S4", "S9"), ("<U4", ">U5"), ([("t", "U4")], [("t", "U9")])], ids=str)
def test_the_room_for_a_text_is_no_content(tmp_path: Path, kinds: tuple[object, object]) -> None:
    for name, text, kind in (("a", "abc", kinds[0]), ("b", "abc", kinds[1]), ("c", "abd", kinds[1])):
        np.savez(tmp_path / f"{name}.npz", x=np.array([(text,)] if isinstance(kind, list) else [text], kind))
    assert same(NAME, tmp_path / "a.npz", tmp_path / "b.npz", T).equal
    assert not same(NAME, tmp_path / "a.npz", tmp_path / "c.npz", T).equal
    assert len(describe(NAME, tmp_path / "a.npz", tmp_path / "c.npz", T).parts) == 1
