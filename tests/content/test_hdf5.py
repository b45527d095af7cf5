import resource
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from blastgit.content import Tolerance, describe, probe, same

NAME = "sed_output/2010H/2010H_global.h5"
T = Tolerance()


def write(path: Path, chain: np.ndarray, **options: object) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("sampling/chain", data=chain, **options)
        file["obs/names"] = np.array(["z", "H"], dtype=h5py.string_dtype())
        file["obs/mask"] = np.array([True, False])
        file["obs"].attrs["redshift"] = "0.015"
        file["sampling/chain"].attrs["step"] = 0.5
        file["empty"] = h5py.Empty("f4")
        file["ring"] = file["/"]
        file["soft"] = h5py.SoftLink("/obs")
    return path


def descriptor(data: bytes) -> int:
    """Return where a string of varying length is described: its length, the heap's address, its number in the heap."""
    heap = data.index(b"GCOL")
    return data.index(heap.to_bytes(8, "little")) - 4


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(lambda data: (data.index(b"GCOL") + 16, bytes(16)), "has an object without end", id="no length"),
        pytest.param(
            lambda data: (data.index(b"GCOL") + 24, b"\xf0" + b"\xff" * 7), "has an object without end", id="too long"
        ),
        pytest.param(lambda data: (descriptor(data), b"\xff" * 4), "memory allocation failed", id="4 GB of text"),
    ],
)
def test_damage_on_which_the_library_would_spend_hours_or_all_memory(
    tmp_path: Path, chain: np.ndarray, damage: Any, words: str
) -> None:
    old = write(tmp_path / "a", chain)
    data = bytearray(old.read_bytes())
    at, wrong = damage(bytes(data))
    data[at : at + len(wrong)] = wrong
    (tmp_path / "b").write_bytes(data)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    verdict = same(NAME, old, tmp_path / "b", T)
    assert (verdict.equal, verdict.how) == (False, "bytes")
    assert verdict.note is not None
    assert words in verdict.note
    assert words in (describe(NAME, old, tmp_path / "b", T).note or "")
    assert resource.getrlimit(resource.RLIMIT_AS) == limits


@pytest.fixture
def chain() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(300, 20))


def test_noise_chunks_compression_and_byte_order_are_no_content(tmp_path: Path, chain: np.ndarray) -> None:
    old = write(tmp_path / "a", chain)
    new = write(tmp_path / "b", np.nextafter(chain, 9).astype(">f8"), chunks=(7, 5), compression="gzip")
    verdict = same(NAME, old, new, T)
    assert (verdict.equal, verdict.how, verdict.note) == (True, "content", None)
    assert describe(NAME, old, new, T).summary() == "no difference"


def test_changes_are_described(tmp_path: Path, chain: np.ndarray) -> None:
    old = write(tmp_path / "a", chain)
    chain[5, 6] += 1e-9
    new = write(tmp_path / "b", chain)
    assert not same(NAME, old, new, T).equal
    with h5py.File(new, "a") as file:
        file["obs"].attrs["redshift"] = "0.016"
        file["sampling/chain"].attrs["step"] = 0.5 + 1e-9
        file["obs/names"][1] = "K"
        del file["obs/mask"]
        file["obs/mask"] = np.array([1, 0])
        file["obs/fresh"] = 1.0
        file["soft"].attrs["x"] = 1
        del file["soft"]
        file["soft"] = h5py.SoftLink("/sampling")
        del file["empty"]
    difference = describe(NAME, old, new, T)
    assert {(part.name, part.state) for part in difference.parts} == {
        ("sampling/chain", "changed"),
        ("sampling/chain@step", "changed"),
        ("obs@redshift", "changed"),
        ("obs@x", "added"),
        ("obs/names", "changed"),
        ("obs/mask", "changed"),
        ("obs/fresh", "added"),
        ("soft", "changed"),
        ("empty", "removed"),
    }
    by_name = {part["name"]: part for part in difference.to_json()["arrays"]}
    assert by_name["sampling/chain"]["numbers"]["changed"] == 1
    assert by_name["obs/mask"]["new"]["dtype"] == "int64"


def test_undefined_numbers(tmp_path: Path, chain: np.ndarray) -> None:
    chain[0, :3] = np.nan, np.inf, -np.inf
    old = write(tmp_path / "a", chain)
    assert same(NAME, old, write(tmp_path / "b", chain * (1 + 1e-16)), T).equal
    chain[0, 2] = np.inf
    assert not same(NAME, old, write(tmp_path / "c", chain), T).equal


def test_large_datasets_are_read_in_blocks(tmp_path: Path) -> None:
    data = np.zeros((300, 1001, 3))
    old = write(tmp_path / "a", data)
    data[-1, -1, -1] = 2
    for chunks in (None, (10, 10, 3), (100, 500, 2)):
        new = write(tmp_path / "b", data, chunks=chunks)
        for pair in ((old, new), (new, old)):
            assert describe(NAME, *pair, T).summary() == "1 of 900,900 values, largest 2, median 2"


def with_virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((2,), "f8")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "x", (2,))
    file.create_virtual_dataset("v", layout)


def with_external_data(file: h5py.File) -> None:
    file.create_dataset("v", (2,), "f8", external=[("/etc/passwd", 0, 16)])


def with_external_link(file: h5py.File) -> None:
    file["v"] = h5py.ExternalLink("elsewhere.h5", "/x")


def with_a_bomb(file: h5py.File) -> None:
    file.create_dataset("v", (1 << 40,), "f8", chunks=(1024,))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (with_virtual, "other files"),
        (with_external_data, "other files"),
        (with_external_link, "external link"),
        (with_a_bomb, "declares 8796093022208 bytes"),
    ],
)
def test_what_leads_outside_is_compared_as_bytes(tmp_path: Path, chain: np.ndarray, spoil, reason: str) -> None:
    old, new = write(tmp_path / "a", chain), write(tmp_path / "b", chain)
    for path in (old, new):
        with h5py.File(path, "a") as file:
            spoil(file)
    with h5py.File(new, "a") as file:
        file.attrs["x"] = 1
        del file.attrs["x"]
    verdict = same(NAME, old, new, T)
    assert verdict.how == "bytes"
    assert str(verdict.note).startswith("both versions: ")
    assert reason in str(verdict.note)
    assert describe(NAME, old, new, T).kind == "bytes"


@pytest.mark.parametrize("version", ["earliest", "v108", "v110", "latest"])
@pytest.mark.parametrize("userblock", [0, 1024])
def test_probe_reads_the_superblock(tmp_path: Path, version: str, userblock: int) -> None:
    path = tmp_path / "a"
    with h5py.File(path, "w", libver=version, userblock_size=userblock) as file:
        file["x"] = np.arange(1000)
    data = path.read_bytes()
    assert probe(NAME, path) is None
    (tmp_path / "b").write_bytes(data[:-1])
    message = f"truncated HDF5: {len(data) - 1} of {len(data)} bytes"
    assert probe(NAME, tmp_path / "b") == message
    assert same(NAME, tmp_path / "b", path, T).note == f"old version: {message}; compared as bytes"
    assert same(NAME, path, path, T).how == ("bytes" if userblock else "content")


def test_malformed(tmp_path: Path, chain: np.ndarray) -> None:
    good = write(tmp_path / "a", chain)
    bad = tmp_path / "b"
    for data, message in [(b"", "empty file"), (b"x" * 5000, "not HDF5"), (good.read_bytes()[:20], "truncated")]:
        bad.write_bytes(data)
        assert message in str(probe(NAME, bad))
        assert same(NAME, good, bad, T).how == "bytes"
    for at in range(0, 2000, 37):
        data = bytearray(good.read_bytes())
        data[at : at + 8] = b"\xff" * 8
        bad.write_bytes(data)
        same(NAME, good, bad, T)
        describe(NAME, bad, good, T)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (h5py.Empty("f4"), h5py.Empty("f8")),
        (h5py.Empty("f4"), h5py.Empty("S5")),
        (h5py.Empty("i4"), np.int32(0)),
        (np.zeros(0, "f4"), np.zeros(0, "i4")),
        (np.zeros((0, 3)), np.zeros((3, 0))),
        (np.array([1], "i4"), np.array([1], "i8")),
        (np.array([1], "u1"), np.array([True])),
    ],
)
@pytest.mark.parametrize("place", ["dataset", "attribute"])
def test_the_type_counts_also_of_nothing(tmp_path: Path, old: object, new: object, place: str) -> None:
    for name, value in (("a", old), ("b", new)):
        with h5py.File(tmp_path / name, "w") as file:
            if place == "dataset":
                file["x"] = value
            else:
                file.attrs["x"] = value
    assert same(NAME, tmp_path / "a", tmp_path / "a", T).equal
    verdict = same(NAME, tmp_path / "a", tmp_path / "b", T)
    assert (verdict.equal, verdict.how) == (False, "content")
    summary = describe(NAME, tmp_path / "a", tmp_path / "b", T).summary()
    one, _, other = summary.rpartition(": ")[2].partition(" -> ")
    assert one != other


def text_in(path: Path, dtype: object, text: bytes, fill: bytes | None = None) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("alone", data=[text], dtype=dtype, fillvalue=fill)
        file["fields"] = np.array([(text, 1.0)], [("name", dtype), ("x", "f8")])
        file.attrs.create("attribute", text, dtype=dtype)
    return path


def test_the_room_for_a_text_is_no_content(tmp_path: Path) -> None:
    varying = h5py.string_dtype()
    kinds = ["S3", "S9", varying, h5py.string_dtype("ascii")]
    paths = [text_in(tmp_path / f"{number}", kind, b"abc") for number, kind in enumerate(kinds)]
    for number, kind in enumerate(kinds):
        other = text_in(tmp_path / "other", kind, b"abd")
        assert {part.name for part in describe(NAME, paths[0], other, T).parts} == {"alone", "fields", "@attribute"}
        assert all(same(NAME, path, paths[number], T).equal and not same(NAME, path, other, T).equal for path in paths)
    fills = [text_in(tmp_path / fill.decode(), varying, b"abc", fill) for fill in (b"x", b"y")]
    assert [part.name for part in describe(NAME, *fills, T).parts] == ["alone fill value"]


def test_committed_types_enumerations_and_fill_values_count(tmp_path: Path) -> None:
    def write(path: Path, type_: str, names: dict[str, int], fill: float | None, compress: str | None) -> Path:
        with h5py.File(path, "w") as file:
            file["committed"] = np.dtype(type_)
            file.create_dataset("enum", data=[0, 1], dtype=h5py.enum_dtype(names, basetype="i1"))
            file.create_dataset("values", data=np.ones(4), fillvalue=fill, compression=compress, chunks=(2,))
        return path

    old = write(tmp_path / "a", "f4", {"A": 0, "B": 1}, None, None)
    assert same(NAME, old, write(tmp_path / "b", ">f4", {"B": 1, "A": 0}, None, "gzip"), T).equal
    assert same(NAME, old, write(tmp_path / "c", "f4", {"A": 0, "B": 1}, 0.0, None), T).equal
    for number, (type_, names, fill, changed) in enumerate(
        [
            ("f8", {"A": 0, "B": 1}, None, "committed"),
            ("f4", {"A": 0, "C": 1}, None, "enum"),
            ("f4", {"A": 0, "B": 1}, np.nan, "values fill value"),
            ("f4", {"A": 0, "B": 1}, -1.0, "values fill value"),
        ]
    ):
        new = write(tmp_path / str(number), type_, names, fill, None)
        assert not same(NAME, old, new, T).equal
        assert [part.name for part in describe(NAME, old, new, T).parts] == [changed]


def with_references(path: Path, target: str, rows: int, *, padding: int, scale: str = "x") -> Path:
    """Write references of all kinds: alone, in fields, in arrays of varying length, to regions, and none."""
    with h5py.File(path, "w") as file:
        for number in range(padding):
            file[f"filler{number}"] = np.zeros(100)  # what follows comes to lie elsewhere
        for name in ("x", "y"):
            file[f"g/{name}"] = np.arange(12.0).reshape(3, 4)
        file["alias"] = file["g/x"]
        for number in range(padding):
            del file[f"filler{number}"]
        objects = [file[target].ref, file["g"].ref, h5py.Reference()]
        file.create_dataset("objects", data=objects, dtype=h5py.ref_dtype)
        regions = [file[target].regionref[0:rows, 1:3], h5py.RegionReference()]
        file.create_dataset("regions", data=regions, dtype=h5py.regionref_dtype)
        file["v"] = np.arange(12.0).reshape(3, 4)
        file[f"g/{scale}"].make_scale("s")
        file["v"].dims[0].attach_scale(file[f"g/{scale}"])  # both kinds of compound values, in attributes
    return path


def test_references_are_what_they_point_to(tmp_path: Path) -> None:
    old = with_references(tmp_path / "a", "g/x", 2, padding=0)
    new = with_references(tmp_path / "b", "alias", 2, padding=7)
    assert old.read_bytes() != new.read_bytes()
    verdict = same(NAME, old, new, T)
    assert (verdict.equal, verdict.how, verdict.note) == (True, "content", None)
    for name, change, where in (
        ("c", {"target": "g/y"}, {"objects", "regions"}),
        ("d", {"rows": 3}, {"regions"}),
        ("e", {"scale": "y"}, {"v@DIMENSION_LIST", "g/x@REFERENCE_LIST", "g/y@REFERENCE_LIST"}),
    ):
        other = with_references(tmp_path / name, **{"target": "g/x", "rows": 2, "padding": 0, **change})
        verdict = same(NAME, old, other, T)
        assert (verdict.equal, verdict.how) == (False, "content"), name
        assert where <= {part.name for part in describe(NAME, old, other, T).parts}, name
