"""npz archives that say the same in other ways, and archives that do not: a table of pairs."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blastgit.content import Tolerance, describe, same

NAME, T = "sed_output/2010H/2010H_global_chain.npz", Tolerance()
X = np.arange(6.0).reshape(2, 3)
Y = np.where(X == 1, 9.0, X)
Members = dict[str, bytes]


def npy(array: Any, version: tuple[int, int] | None = None) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version=version)
    return file.getvalue()


def by_hand(descr: str, shape: tuple[int, ...], data: bytes, *, fortran: bool = False, version: int = 1) -> bytes:
    width = 2 if version == 1 else 4
    text = repr({"descr": descr, "fortran_order": fortran, "shape": shape}).encode().ljust(101) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(width, "little") + text + data


def one(data: bytes) -> Members:
    return {"x.npy": data}


def pickled(value: object) -> Members:
    array = np.empty((), object)
    array[()] = value
    return one(npy(array))


def kind(data: Any, dtype: Any) -> Members:
    return one(npy(np.array(data, dtype)))


LONG = npy(np.ones(2, "g"))
EQUAL: dict[str, tuple[Members, Members]] = {
    **{f"format {v}.0": (one(npy(X)), one(npy(X, (v, 0)))) for v in (1, 2, 3)},
    "byte order": (one(npy(X)), one(npy(X.astype(">f8")))),
    "memory order": (one(npy(X)), one(npy(np.asfortranarray(X)))),
    "noise": (one(npy(X)), one(npy(np.nextafter(X, 2 * X)))),
    "NaN": (kind([np.nan], "f8"), one(npy(-np.array([np.nan])))),
    "sign of zero": (kind([0.0], "f8"), kind([-0.0], "f8")),
    "time": (kind(["2020-01-01"], "M8[s]"), kind(["2020-01-01"], ">M8[s]")),
    "no time": (kind(["NaT"], "M8[s]"), kind(["NaT"], "M8[s]")),
    "room for text": (kind(["ab"], "U4"), kind(["ab"], "U9")),
    "byte order of text": (kind(["ab"], "<U4"), kind(["ab"], ">U4")),
    "room for bytes": (kind([b"ab"], "S4"), kind([b"ab"], "S9")),
    "titles of fields": (one(npy(np.zeros(2, [(("t", "a"), "i4")]))), one(npy(np.zeros(2, [("a", "i4")])))),
    "byte order of fields": (one(npy(np.ones(2, [("a", "<i4")]))), one(npy(np.ones(2, [("a", ">i4")])))),
    "native order": (one(by_hand("<i8", (1,), bytes(8))), one(by_hand("=i8", (1,), bytes(8)))),
    "complex noise": (kind([1 + 1j], "c16"), kind([(1 + 1j) * (1 + 2e-16)], "c16")),
    "bytes that fill a long double": (one(LONG), one(LONG[:-1] + b"\xff")),
    "order of members": ({"a.npy": npy(X), "b.npy": npy(Y)}, {"b.npy": npy(Y), "a.npy": npy(X)}),
    "keys of a dictionary": (pickled({"a": 1, "b": [1.0, "x"]}), pickled({"b": [1.0, "x"], "a": 1})),
    "zero in a pickle": (pickled(0.0), pickled(-0.0)),
    "NaN in a pickle": (pickled(float("nan")), pickled(float("nan"))),
}

DIFFERENT: dict[str, tuple[Members, Members]] = {
    "value": (one(npy(X)), one(npy(Y))),
    "value in another order": (one(npy(X)), one(npy(np.asfortranarray(Y)))),
    "bytes in another order": (
        one(by_hand("<f8", (2, 3), X.tobytes())),
        one(by_hand("<f8", (2, 3), X.tobytes(), fortran=True)),
    ),
    "shape": (one(npy(X)), one(npy(X.reshape(3, 2)))),
    "scalar to one": (kind(1.0, "f8"), kind([1.0], "f8")),
    "width of floats": (kind([1.0], "f4"), kind([1.0], "f8")),
    "sign of integers": (kind([1], "u4"), kind([1], "i4")),
    "integer to bool": (kind([1], "u1"), kind([1], "?")),
    "another true": (one(by_hand("|b1", (2,), b"\1\0")), one(by_hand("|b1", (2,), b"\2\0"))),
    "shape of nothing": (one(npy(np.zeros((0, 3)))), one(npy(np.zeros((0, 4))))),
    "type of nothing": (kind([], "f4"), kind([], "f8")),
    "time": (kind(["2020-01-01"], "M8[s]"), kind(["2020-01-02"], "M8[s]")),
    "unit of time": (kind(["2020-01-01"], "M8[s]"), kind(["2020-01-01"], "M8[ms]")),
    "text": (kind(["ab"], "U4"), kind(["ac"], "U9")),
    "text with a blank": (kind(["ab"], "U4"), kind(["ab "], "U4")),
    "text, composed or not": (kind(["\u00e9"], "U4"), kind(["e\u0301"], "U4")),
    "text to bytes": (kind(["ab"], "U2"), kind([b"ab"], "S8")),
    "bytes": (kind([b"ab"], "V2"), kind([b"ac"], "V2")),
    "half": (kind([1], "f2"), kind([2], "f2")),
    "order of fields": (kind([(1, 2)], [("a", "i4"), ("b", "i4")]), kind([(2, 1)], [("b", "i4"), ("a", "i4")])),
    "name of a field": (kind([(1,)], [("a", "i4")]), kind([(1,)], [("b", "i4")])),
    "nested field": (kind([((1.0,),)], [("a", [("b", "f8")])]), kind([((2.0,),)], [("a", [("b", "f8")])])),
    "array in a field": (kind([([1, 2],)], [("a", "f8", (2,))]), kind([([1, 3],)], [("a", "f8", (2,))])),
    "names of members": ({"a.npy": npy(X), "b.npy": npy(Y)}, {"a.npy": npy(Y), "b.npy": npy(X)}),
    "more members": ({"a.npy": npy(X)}, {"a.npy": npy(X), "b.npy": npy(X)}),
    "a member that is no array": ({"a.npy": npy(X), "r.txt": b"hi"}, {"a.npy": npy(X), "r.txt": b"ho"}),
    "integer to float in a pickle": (pickled(1), pickled(1.0)),
    "integer to bool in a pickle": (pickled(1), pickled(True)),
    "text to bytes in a pickle": (pickled("a"), pickled(b"a")),
    "large integers in a pickle": (pickled(2**70), pickled(2**70 + 1)),
    "tuple to list in a pickle": (pickled((1,)), pickled([1])),
    "nothing to zero in a pickle": (pickled(None), pickled(0)),
    "width in a pickle": (pickled(np.float32(1)), pickled(np.float64(1))),
    "array in a pickle": (pickled(np.array([1, 2])), pickled(np.array([1, 3]))),
    "text in a pickle": (pickled({"a": ["x"]}), pickled({"a": ["y"]})),
}


def archive(path: Path, members: Members, packing: int = zipfile.ZIP_STORED, year: int = 1980) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.comment = str(year).encode()
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0))
            info.compress_type = packing
            file.writestr(info, data)
    return path


def judge(folder: Path, pair: tuple[Members, Members]) -> bool:
    """Whether two archives are equal, both ways round and as `describe` has it, whatever their packing and dates."""
    paths = [archive(folder / "old", pair[0]), archive(folder / "new", pair[1], zipfile.ZIP_DEFLATED, 2020)]
    verdicts = [same(NAME, *each, T) for each in (paths, paths[::-1])]
    shown = describe(NAME, *paths, T)
    assert [verdict.how for verdict in verdicts] == ["content", "content"]
    assert {verdict.equal for verdict in verdicts} == {not shown.parts}
    return not shown.parts


@pytest.mark.parametrize("pair", EQUAL.values(), ids=EQUAL)
def test_the_same_in_another_way(tmp_path: Path, pair: tuple[Members, Members]) -> None:
    assert judge(tmp_path, pair)


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT)
def test_something_else(tmp_path: Path, pair: tuple[Members, Members]) -> None:
    assert not judge(tmp_path, pair)
