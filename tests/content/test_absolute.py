"""Absolute times and positions in files of any format are only equal within their own limits."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from astropy.io import fits

from blastgit.content import Tolerance, describe, same
from blastgit.revision.rules import default_rules

T = Tolerance(limit=default_rules().limit)
JD, RA = 2460000.123456, 300.123456
MICROSECOND = 1 / 86400e6


def card(path: Path, name: str, value: float) -> None:
    hdu = fits.PrimaryHDU(np.zeros(3))
    hdu.header[name] = value
    hdu.writeto(path)


def column(path: Path, name: str, value: float) -> None:
    columns = [fits.Column("flux", "D", array=[value]), fits.Column(name, "D", array=[value])]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(path)


def member(path: Path, name: str, value: float) -> None:
    with path.open("wb") as file:
        np.savez(file, **{name: np.full(5, value), "flux": np.ones(2)})


def record(path: Path, name: str, value: float) -> None:
    with path.open("wb") as file:
        np.savez(file, rows=np.array([(1.0, value)], [("flux", "f8"), (name, "f8")]))


def dataset(path: Path, name: str, value: float) -> None:
    with h5py.File(path, "w") as file:
        file[f"group/{name}"] = np.full((3, 2), value)


def attribute(path: Path, name: str, value: float) -> None:
    with h5py.File(path, "w") as file:
        file.attrs[name] = value


def compound(path: Path, name: str, value: float) -> None:
    with h5py.File(path, "w") as file:
        file["rows"] = np.array([(1.0, value)], [("flux", "f8"), (name, "f8")])


FORMATS = [
    (card, "a.fits"), (column, "a.fits"), (member, "a.npz"), (record, "a.npz"), (dataset, "a.h5"), (attribute, "a.h5"),
    (compound, "a.h5"),
]  # fmt: skip


@pytest.mark.parametrize(("write", "file"), FORMATS)
@pytest.mark.parametrize(
    ("name", "value", "step", "equal"),
    [
        ("JD", JD, 1e-3 / 86400, False),
        ("MJD", JD - 2400000.5, 2 * MICROSECOND, False),
        ("MJD", JD - 2400000.5, 0.6 * MICROSECOND, True),
        ("RA", RA, 2e-10, False),
        ("RA", RA, 5e-11, True),
        ("OTHER", JD, 1e-3 / 86400, True),
    ],
)
def test_limits(
    tmp_path: Path,
    write: Callable[[Path, str, float], None],
    file: str,
    name: str,
    value: float,
    step: float,
    equal: bool,
) -> None:
    write(tmp_path / "a", name, value)
    write(tmp_path / "b", name, value + step)
    assert same(file, tmp_path / "a", tmp_path / "b", T).equal is equal
    assert (describe(file, tmp_path / "a", tmp_path / "b", T).parts == ()) is equal
