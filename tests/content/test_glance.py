import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from blastgit.content.glance import differ
from blastgit.content.model import Bounds
from blastgit.content.tolerance import changed

DESCRIPTIONS = st.sampled_from(["<f4", ">f4", "<f8", ">f8", "<i2", ">u4", "|u1", "|b1", "<i8"])
PAIRS = st.tuples(DESCRIPTIONS, st.integers(0, 300)).flatmap(
    lambda each: st.tuples(hnp.arrays(each[0], each[1]), hnp.arrays(each[0], each[1]))
)


@given(PAIRS, st.sampled_from([0.0, 1e-12, 1e-3]))
def test_a_glance_is_never_wrong(pair: tuple[np.ndarray, np.ndarray], relative: float) -> None:
    old, new = pair
    truth = bool(changed(old, new, Bounds(relative)).any())
    assert _differ(old, new, relative) in (truth, None)


@given(hnp.arrays(">f4", 200, elements=st.floats(0.5, 2, width=32)), st.sets(st.integers(0, 199), min_size=1))
def test_another_image_shows_at_once(image: np.ndarray, places: set[int]) -> None:
    other = image.copy()
    other[list(places)] += 1
    assert _differ(image, other, 1e-12) is True


def test_noise_alone_is_left_to_numpy() -> None:
    flux = np.linspace(1, 2, 500)
    assert _differ(flux, np.nextafter(flux, 3), 1e-12) is None
    other = np.nextafter(flux, 3)
    other[-1] *= 2  # beyond the first differences that are looked at
    assert _differ(flux, other, 1e-12) is None


def test_equal_bytes_and_unknown_types() -> None:
    assert differ(io.BytesIO(b"abcd"), io.BytesIO(b"abcd"), [("x", "<f4")], Bounds(0)) is False
    assert differ(io.BytesIO(b"abcd"), io.BytesIO(b"abce"), [("x", "<f4")], Bounds(0)) is None
    assert differ(io.BytesIO(b"abcd"), io.BytesIO(b"abce"), "|V1", Bounds(0)) is True
    assert differ(io.BytesIO(b"abcd"), io.BytesIO(b"abc"), "|u1", Bounds(0)) is None


def _differ(old: np.ndarray, new: np.ndarray, relative: float) -> bool | None:
    return differ(io.BytesIO(old.tobytes()), io.BytesIO(new.tobytes()), old.dtype.str, Bounds(relative))
