import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from blastgit.content.model import Bounds
from blastgit.content.tolerance import changed, magnitudes

FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=64)
PAIRS = st.integers(0, 20).flatmap(
    lambda n: st.tuples(hnp.arrays("f8", n, elements=FLOATS), hnp.arrays("f8", n, elements=FLOATS))
)


@pytest.mark.parametrize(
    ("old", "new", "differs"),
    [
        (1.0, np.nextafter(1.0, 2.0), False),
        (1.0, 1.0 + 1e-9, True),
        (0.0, -0.0, False),
        (0.0, 1e-300, True),
        (np.nan, np.nan, False),
        (np.nan, 0.0, True),
        (np.inf, np.inf, False),
        (np.inf, -np.inf, True),
        (np.inf, 1.7e308, True),
        (1e308, -1e308, True),
    ],
)
def test_floats(old: float, new: float, differs: bool) -> None:
    for first, second in ((old, new), (new, old)):
        assert changed(np.array([first]), np.array([second]), Bounds(1e-12)).tolist() == [differs]
        pair = np.array([complex(0, first)]), np.array([complex(0, second)])
        assert changed(*pair, Bounds(1e-12)).tolist() == [differs]


def test_single_precision_is_judged_in_double() -> None:
    old = np.array([1.0], "f4")
    assert changed(old, np.nextafter(old, 2, dtype="f4"), Bounds(1e-12)).all()


def test_what_is_not_a_float_is_exact() -> None:
    big = np.array([2**62])
    assert changed(big, big + 1, Bounds(1e-12)).all()
    assert changed(np.array(["a", "b"]), np.array(["a", "c"]), Bounds(1.0)).tolist() == [False, True]
    nat = np.array(["NaT", "2020-01-01"], "M8[D]")
    assert not changed(nat, nat.copy(), Bounds(0)).any()
    odd = np.frombuffer(b"\1\2", "?")
    assert changed(odd, np.array([True, True]), Bounds(0)).tolist() == [False, True]


def test_a_row_differs_if_any_field_does() -> None:
    old = np.zeros(3, [("x", "f8", (2,)), ("s", "S3"), ("v", "V2")])
    new = old.copy()
    new["x"][0, 1] = 1
    new["s"][2] = b"a"
    assert changed(old, new, Bounds(1e-12)).tolist() == [True, False, True]


def test_objects() -> None:
    old, new = np.empty(3, object), np.empty(3, object)
    old[:] = [b"a", b"b", np.array([1.0, np.nan])]
    new[:] = [b"a", b"c", np.array([1.0 + 1e-16, np.nan])]
    assert changed(old, new, Bounds(1e-12)).tolist() == [False, True, False]


@given(PAIRS)
def test_agrees_with_numpy(pair: tuple[np.ndarray, np.ndarray]) -> None:
    old, new = pair
    scale = 1e-12 * np.nan_to_num(np.maximum(np.abs(old), np.abs(new)), nan=0, posinf=0)
    with np.errstate(all="ignore"):
        expected = np.isclose(old, new, rtol=0, atol=scale, equal_nan=True)
    assert (changed(old, new, Bounds(1e-12)) != expected).all()


def test_an_absolute_bound_only_ever_narrows() -> None:
    day, bounds = np.array([2460000.5, 1e-20]), Bounds(1e-12, 1.157e-11)
    assert not changed(day, day + np.array([4.6e-7, 0]), Bounds(1e-12)).any()
    assert changed(day, day + np.array([4.6e-10, 0]), bounds).tolist() == [True, False]
    assert changed(day, day + np.array([0, 1e-20]), bounds).tolist() == [False, True]
    table = np.zeros(2, [("t", "f8"), ("x", "f8")])
    table["t"] = table["x"] = day
    late = table.copy()
    late["t"][0] += 1e-7
    assert changed(table, late, Bounds(1e-12, fields={"t": bounds})).tolist() == [True, False]
    assert not changed(table, late, Bounds(1e-12, fields={"x": bounds})).any()


@pytest.mark.parametrize(
    ("dtype", "old", "new"),
    [("u8", 2**64 - 1, 2**64 - 2), ("u8", 2**53, 2**53 + 1), ("i8", -(2**63), 2**63 - 1), ("i1", -128, 127)],
)
def test_the_size_of_a_change_of_integers_is_exact(dtype: str, old: int, new: int) -> None:
    absolute, relative = next(magnitudes(np.array([old], dtype), np.array([new], dtype), Bounds(1e-12)))
    assert absolute[0] == float(abs(old - new))
    assert relative[0] > 0
