"""HDF5 files that say the same in other ways, and files that do not: a table of pairs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from blastgit.content import Tolerance, describe, same

NAME, T = "sed_output/2010H/2010H_global.h5", Tolerance()
X = np.arange(1000.0)
TEXT = h5py.string_dtype()
ALIGNED, PACKED = (np.dtype([("a", "i1"), ("b", "f8")], align=align) for align in (True, False))
Write = Callable[[h5py.File], object]


def values(data: Any, dtype: Any = None, **options: Any) -> Write:
    return lambda file: file.create_dataset("x", data=data, dtype=dtype, **options)


def attributes(*items: tuple[str, Any]) -> Write:
    def write(file: h5py.File) -> None:
        for key, value in items:
            file.attrs[key] = value

    return write


def members(*items: tuple[str, Any]) -> Write:
    def write(file: h5py.File) -> None:
        for key, value in items:
            file[key] = value

    return write


def pair_of_scalars(then: Callable[[h5py.File], object]) -> Write:
    def write(file: h5py.File) -> None:
        file["p"], file["q"] = 1, 1
        then(file)

    return write


def link(to: str, *, soft: bool) -> Write:
    return pair_of_scalars(lambda file: file.__setitem__("link", h5py.SoftLink(to) if soft else file[to]))


def reference(to: str) -> Write:
    return pair_of_scalars(lambda file: file.attrs.__setitem__("r", file[to].ref))


def region(rows: int) -> Write:
    def write(file: h5py.File) -> None:
        file["p"] = X
        file.attrs["r"] = file["p"].regionref[0:rows]

    return write


def scale(label: str, *, attached: bool = True) -> Write:
    def write(file: h5py.File) -> None:
        file["d"], file["s"] = X[:3], X[:3]
        file["s"].make_scale("s")
        if attached:
            file["d"].dims[0].attach_scale(file["s"])
        file["d"].dims[0].label = label

    return write


def low_level(type_: Any, data: np.ndarray) -> Write:
    space = h5py.h5s.create_simple(data.shape)
    return lambda file: h5py.h5d.create(file.id, b"x", type_, space).write(
        h5py.h5s.ALL, h5py.h5s.ALL, data, h5py.h5t.py_create(data.dtype) if data.dtype.kind != "V" else type_
    )


def opaque(tag: bytes, data: bytes) -> Write:
    type_ = h5py.h5t.create(h5py.h5t.OPAQUE, 4)
    type_.set_tag(tag)
    return low_level(type_, np.array([data], "V4"))


def precise(bits: int) -> Write:
    type_ = h5py.h5t.STD_I32LE.copy()
    type_.set_precision(bits)
    return low_level(type_, np.array([5], "i4"))


def padded(pad: int, data: bytes) -> Write:
    type_ = h5py.h5t.C_S1.copy()
    type_.set_size(6)
    type_.set_strpad(pad)

    def write(file: h5py.File) -> None:
        stored = h5py.h5d.create(file.id, b"x", type_, h5py.h5s.create_simple((1,)))
        stored.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([data], "S6"), type_)

    return write


def varying(data: list[float], kind: str = "f8") -> Write:
    return lambda file: file.create_dataset("x", (1,), h5py.vlen_dtype(kind)).__setitem__(0, data)


def fill(value: Any, dtype: Any = "f8") -> Write:
    return lambda file: file.create_dataset("x", (5,), dtype, fillvalue=value)


def enum(**names: int) -> Any:
    return h5py.enum_dtype(names, basetype="i4")


def record(b: float, dtype: Any = PACKED) -> np.ndarray:
    return np.array([(1, b)] * 3, dtype)


def times(text: str) -> Write:
    return values(np.array([text], "M8[s]").astype(h5py.opaque_dtype("M8[s]")))


EQUAL: dict[str, tuple[Write, Write]] = {
    "chunks": (values(X), values(X, chunks=(10,))),
    "filters": (values(X), values(X, chunks=(10,), shuffle=True, fletcher32=True, compression="lzf")),
    "gzip": (values(X, compression="gzip"), values(X, compression="gzip", compression_opts=9)),
    "room to grow": (values(X), values(X, maxshape=(None,))),
    "times tracked": (values(X, track_times=True), values(X, track_times=False)),
    "byte order": (values(X.astype(">f8")), values(X.astype("<f8"))),
    "noise": (values(X), values(np.nextafter(X, 2 * X))),
    "order of creation": (members(("p", 1), ("q", 2)), members(("q", 2), ("p", 1))),
    "order of attributes": (attributes(("a", 1), ("b", 2)), attributes(("b", 2), ("a", 1))),
    "text by name of encoding": (values(["ab"], TEXT), values(["ab"], h5py.string_dtype("ascii"))),
    "text of fixed width": (values(["ab"], TEXT), values(np.array([b"ab"], "S4"))),
    "no text": (values([""], TEXT), values(np.array([b""], "S4"))),
    "text beyond ASCII": (values(["é"], TEXT), values(np.array(["é".encode()], "S4"))),
    "text in an attribute": (attributes(("a", "x")), attributes(("a", np.bytes_("x")))),
    "text filled with blanks": (padded(h5py.h5t.STR_NULLPAD, b"ab"), padded(h5py.h5t.STR_SPACEPAD, b"ab    ")),
    "text ended by NUL": (padded(h5py.h5t.STR_NULLPAD, b"ab"), padded(h5py.h5t.STR_NULLTERM, b"ab")),
    "gaps in records": (values(record(1.0, ALIGNED)), values(record(1.0))),
    "nested gaps": (values(np.zeros(2, [("n", ALIGNED)])), values(np.zeros(2, [("n", PACKED)]))),
    "enumeration written in another order": (values([0, 1], enum(a=0, b=1)), values([0, 1], enum(b=1, a=0))),
    "bits of an integer in use": (precise(32), precise(20)),
    "fill value that is the default": (fill(0.0), values(np.zeros(5))),
    "NaN": (values([np.nan]), values(-np.array([np.nan]))),
    "sign of zero": (values([0.0]), values([-0.0])),
    "noise in arrays of varying length": (varying([1.0, 2.0]), varying([1.0 + 2e-16, 2.0])),
    "reference": (reference("p"), reference("p")),
    "region": (region(3), region(3)),
    "dimension scale": (scale("a"), scale("a")),
    "links of the same value": (link("/p", soft=False), link("/q", soft=False)),
    "complex as a record": (values(np.array([1 + 2j])), values(np.array([(1, 2)], [("r", "f8"), ("i", "f8")]))),
    "long double noise": (values(np.ones(1, "g")), values(np.ones(1, "g") * (1 + np.finfo("g").eps))),
}  # fmt: skip

DIFFERENT: dict[str, tuple[Write, Write]] = {
    "value": (values(X), values(np.where(X == 7, 7.5, X))),
    "NaN to a number": (values([np.nan]), values([1.0])),
    "infinity": (values([np.inf]), values([-np.inf])),
    "width of floats": (values(X.astype("f4")), values(X)),
    "width of integers": (values([1], "i4"), values([1], "i8")),
    "sign of integers": (values([1], "u4"), values([1], "i4")),
    "integer to float": (attributes(("a", 1)), attributes(("a", 1.0))),
    "bool to integer": (attributes(("a", True)), attributes(("a", np.int8(1)))),
    "bool to its like": (values(np.array([True])), values(np.array([1], "i1"))),
    "scalar to one": (values(1.0), values([1.0])),
    "shape of nothing": (values(np.zeros((0, 3))), values(np.zeros((3, 0)))),
    "type of nothing": (attributes(("a", np.zeros(0, "f4"))), attributes(("a", np.zeros(0, "i4")))),
    "null to a value": (attributes(("a", h5py.Empty("f4"))), attributes(("a", np.float32(0)))),
    "type of null": (attributes(("a", h5py.Empty("f4"))), attributes(("a", h5py.Empty("f8")))),
    "text": (values(["ab"], TEXT), values(np.array([b"ac"], "S4"))),
    "text with a blank": (values(["ab"], TEXT), values(["ab "], TEXT)),
    "text, composed or not": (values(["\u00e9"], TEXT), values(["e\u0301"], TEXT)),
    "name, composed or not": (members(("\u00e9", 1)), members(("e\u0301", 1))),
    "text in an attribute": (attributes(("a", "x")), attributes(("a", np.bytes_("y")))),
    "value in a record": (values(record(1.0, ALIGNED)), values(record(2.0))),
    "order of fields": (values(record(1.0)), values(np.zeros(3, [("b", "f8"), ("a", "i1")]))),
    "name of a field": (values(np.zeros(3, [("a", "f8")])), values(np.zeros(3, [("b", "f8")]))),
    "array in a record": (values(np.zeros(2, [("a", "f8", (2,))])), values(np.ones(2, [("a", "f8", (2,))]))),
    "what an enumeration means": (values([0, 1], enum(a=0, b=1)), values([0, 1], enum(a=1, b=0))),
    "time": (times("2020-01-01"), times("2020-01-02")),
    "fill value": (fill(1.0), fill(2.0)),
    "fill value of text": (fill("ab", TEXT), fill("ac", TEXT)),
    "fill value beside written values": (values(X, fillvalue=np.nan), values(X)),
    "in an array of varying length": (varying([1.0, 2.0]), varying([1.0, 2.1])),
    "length of such an array": (varying([1.0, 2.0]), varying([1.0])),
    "type of such an array": (varying([1, 2]), varying([1, 2], "f4")),
    "reference": (reference("p"), reference("q")),
    "region": (region(3), region(4)),
    "label of a dimension": (scale("a"), scale("b")),
    "detached scale": (scale("a"), scale("a", attached=False)),
    "target of a link": (link("/p", soft=True), link("/q", soft=True)),
    "kind of a link": (link("/p", soft=True), link("/p", soft=False)),
    "committed type": (members(("t", np.dtype("f4"))), members(("t", np.dtype("f8")))),
    "complex": (values(np.array([1 + 2j])), values(np.array([1 + 3j]))),
    "half": (values(np.array([1, 2], "f2")), values(np.array([1, 3], "f2"))),
}  # fmt: skip


def judge(folder: Path, pair: tuple[Write, Write], **options: Any) -> bool:
    """Whether two files are equal, both ways round and as `describe` has it; what differs never looks alike."""
    paths = [folder / "old", folder / "new"]
    for path, write in zip(paths, pair, strict=True):
        with h5py.File(path, "w", **options) as file:
            write(file)
    verdicts = [same(NAME, *each, T) for each in (paths, paths[::-1])]
    shown = describe(NAME, *paths, T)
    assert [verdict.how for verdict in verdicts] == ["content", "content"]
    assert {verdict.equal for verdict in verdicts} == {not shown.parts}
    assert all(part.state != "changed" or part.numbers or part.old != part.new for part in shown.parts)
    return not shown.parts


@pytest.mark.parametrize("pair", EQUAL.values(), ids=EQUAL)
@pytest.mark.parametrize("version", ["earliest", "latest"])
def test_the_same_in_another_way(tmp_path: Path, pair: tuple[Write, Write], version: str) -> None:
    assert judge(tmp_path, pair, libver=version)


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_something_else(tmp_path: Path, pair: tuple[Write, Write]) -> None:
    assert not judge(tmp_path, pair)


def test_the_order_of_creation_is_no_content_even_if_it_is_kept(tmp_path: Path) -> None:
    assert judge(tmp_path, EQUAL["order of creation"], track_order=True)


@pytest.mark.parametrize(
    ("tag", "data", "equal"), [(b"t", b"abcd", True), (b"t", b"abce", False), (b"u", b"abcd", False)]
)
def test_opaque_bytes_that_h5py_cannot_read(tmp_path: Path, tag: bytes, data: bytes, equal: bool) -> None:
    for name, write in (("old", opaque(b"t", b"abcd")), ("new", opaque(tag, data))):
        with h5py.File(tmp_path / name, "w") as file:
            write(file)
    verdict = same(NAME, tmp_path / "old", tmp_path / "new", T)
    assert (verdict.equal, verdict.how) == (equal, "bytes")
