"""The built-in readers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from blastgit.plumbing.extras import not_installed
from blastgit.readers.arrays import Arrays, read_archive
from blastgit.readers.dataset import Content, Dataset

if TYPE_CHECKING:
    import h5py
    from astropy.io.fits import HDUList
    from astropy.nddata import CCDData
    from astropy.table import Row, Table


class Text(str):
    """Text that can carry its identity."""

    __slots__ = ("identity",)


def read_bytes(dataset: Dataset) -> Content:
    """Return the file as it is."""
    return Content(dataset.data())


def read_text(dataset: Dataset) -> Text:
    """Return the file as UTF-8 text."""
    return Text(dataset.data().decode())


def read_json(dataset: Dataset) -> Any:
    """Return a JSON file, or rows as they are in the document."""
    return [dict(row) for row in dataset.rows] if dataset.type.rows else json.loads(dataset.data())


def read_npz(dataset: Dataset) -> Arrays:
    """Return the arrays of a numpy archive."""
    return read_archive(dataset.data())


def read_hdf5(dataset: Dataset) -> h5py.File:
    """Return an HDF5 file, open for reading."""
    import h5py

    return h5py.File(dataset.open(), "r")


def read_fits(dataset: Dataset) -> HDUList:
    """Return a FITS file."""
    _need_astropy()
    from astropy.io import fits

    return fits.open(dataset.open(), memmap=False, lazy_load_hdus=False)


def read_ccd(dataset: Dataset) -> CCDData:
    """Return the first image of a FITS file, with its coordinates (WCS) and unit; an unknown unit becomes `adu`."""
    _need_astropy()
    import warnings

    from astropy import units
    from astropy.nddata import CCDData
    from astropy.utils.exceptions import AstropyWarning
    from astropy.wcs import WCS

    with read_fits(dataset) as hdus:
        image = next((each for each in hdus if each.is_image and each.data is not None), None)
        if image is None:
            raise ValueError("it has no image")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)  # surveys write cards that astropy fixes on the fly
            wcs = WCS(image.header)
        try:
            unit = units.Unit(image.header.get("BUNIT", "adu"))
        except ValueError:
            unit = units.adu
        return CCDData(image.data, unit=unit, wcs=wcs if wcs.has_celestial else None, meta=dict(image.header))


def read_table(dataset: Dataset) -> Table:
    """Return rows as a table with units; missing values are masked."""
    _need_astropy()
    from blastgit.readers.tables import table_of

    return table_of(dataset)


def read_row(dataset: Dataset) -> Row:
    """Return the only row."""
    table = read_table(dataset)
    if len(table) != 1:
        raise ValueError(f"it has {len(table)} rows, and not one")
    return table[0]


BUILT_IN = {
    "bytes": read_bytes, "text": read_text, "json": read_json, "npz": read_npz, "hdf5": read_hdf5, "fits": read_fits,
    "ccd": read_ccd, "table": read_table, "row": read_row,
}  # fmt: skip


def _need_astropy() -> None:
    try:
        import astropy  # noqa: F401 (whether it is there)
    except ImportError:
        instead = " (or ask for reader='bytes' or 'json')"
        raise not_installed("to be read, images and tables need", "astropy", "astropy", instead) from None
