import importlib.metadata
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from blastgit.content import Difference, Tolerance, describe, probe, registry, same

T = Tolerance()


def test_any_other_suffix_is_bytes(tmp_path: Path) -> None:
    old, new = tmp_path / "a", tmp_path / "b"
    old.write_bytes(b"x" * 3_000_000)
    new.write_bytes(b"x" * 2_999_999 + b"yz")
    assert probe("a.jpg", old) is None
    verdict = same("a.jpg", old, new, T)
    assert (verdict.equal, verdict.how, verdict.note) == (False, "bytes", None)
    assert same("a", old, old, T).equal
    assert describe("a.jpg", old, new, T).to_json() == {
        "kind": "bytes",
        "note": None,
        "old_size": 3_000_000,
        "new_size": 3_000_001,
        "first_difference": 2_999_999,
    }
    assert describe("a.jpg", old, old, T).summary() == "no difference"


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    for name in ("a.fits", "a.npz", "a.h5", "a.jpg"):
        with pytest.raises(FileNotFoundError):
            same(name, tmp_path / "no", tmp_path / "no", T)


class Lines:
    """A plug-in: text whose trailing blanks do not matter."""

    suffixes = frozenset({".txt"})

    def probe(self, path: Path) -> str | None:
        return None if path.read_bytes().isascii() else "not ASCII"

    def same(self, old: Path, new: Path, tolerance: Tolerance) -> bool:
        return old.read_text("ascii").rstrip() == new.read_text("ascii").rstrip()

    def describe(self, old: Path, new: Path, tolerance: Tolerance) -> Difference:
        return Difference("arrays")


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    asked = []

    class Entry:
        def load(self) -> type[Lines]:
            return Lines

    def entry_points(*, group: str) -> list[Entry]:
        asked.append(group)
        return [Entry()]

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    registry._plugins.cache_clear()
    registry._format.cache_clear()
    yield asked
    registry._plugins.cache_clear()
    registry._format.cache_clear()


def test_plugins_serve_suffixes_that_are_not_built_in(tmp_path: Path, plugins: list[str]) -> None:
    old, new = tmp_path / "a", tmp_path / "b"
    old.write_bytes(b"same ")
    new.write_bytes(b"same")
    assert not same("a.fits", old, new, T).equal
    assert plugins == []
    assert same("A.TXT", old, new, T).equal
    assert plugins == ["blastgit.content"]
    assert same("a.jpg", old, new, T).how == "bytes"
    new.write_bytes(b"\xff")
    assert same("a.txt", old, new, T).note == "new version: not ASCII; compared as bytes"


def test_built_in_suffixes_are_those_of_the_formats() -> None:
    for suffix in registry._BUILT_IN:
        assert suffix in registry.format_of(f"a{suffix}").suffixes


def test_nothing_slow_is_imported_for_equal_bytes(tmp_path: Path) -> None:
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(tmp_path / "a")
    code = (
        "import sys; from pathlib import Path; from blastgit.content import *\n"
        f"p = Path({str(tmp_path / 'a')!r}); assert same('a.fits', p, p, Tolerance()).equal\n"
        "assert probe('a.h5', p) == 'not HDF5'\n"
        "assert not {'numpy', 'h5py', 'astropy', 'PIL', 'importlib.metadata'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_same_is_reflexive_and_agrees_with_numpy(tmp_path: Path, data: st.DataObject) -> None:
    shape = data.draw(hnp.array_shapes(max_dims=2, max_side=6))
    first = data.draw(hnp.arrays("f8", shape, elements=FLOATS))
    second = data.draw(
        st.one_of(
            hnp.arrays("f8", shape, elements=FLOATS),
            st.sampled_from([0.0, 1e-15, 1e-13, 1e-11, 1e-9]).map(lambda step: first.clip(-1e300, 1e300) * (1 + step)),
        )
    )
    paths = [tmp_path / "a", tmp_path / "b"]
    for path, array in zip(paths, (first, second), strict=True):
        fits.PrimaryHDU(array).writeto(path, overwrite=True)
    scale = 1e-12 * np.nan_to_num(np.maximum(np.abs(first), np.abs(second)), nan=0, posinf=0)
    with np.errstate(all="ignore"):
        expected = np.isclose(first, second, rtol=0, atol=scale, equal_nan=True).all()
    assert same("a.fits", paths[0], paths[1], T).equal == expected
    assert same("a.fits", paths[0], paths[0], T).equal
    assert (describe("a.fits", paths[0], paths[1], T).parts == ()) == expected
