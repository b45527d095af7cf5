"""What a file is, by the end of its name, as a media type: one table for all that names one.

The system's own table (`/etc/mime.types`) is not asked: it differs from machine to machine.
"""

from __future__ import annotations

from mimetypes import MimeTypes

BY_ENDING = {
    ".fits": "application/fits",  # RFC 4047: of images and tables alike
    ".fits.gz": "application/gzip",
    ".npz": "application/x-npz",
    ".h5": "application/x-hdf5",
    ".hdf5": "application/x-hdf5",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".csv": "text/csv",
    ".txt": "text/plain",
}
OTHER = "application/octet-stream"


def known_type(path: str) -> str | None:
    """Return the media type of a file that a dataset may have; None if its name tells none."""
    return next((type_ for ending, type_ in BY_ENDING.items() if path.lower().endswith(ending)), None)


def media_type(path: str) -> str:
    """Return the media type of any file, also of one that somebody attached."""
    return known_type(path) or _PYTHONS.guess_type(path)[0] or OTHER


_PYTHONS = MimeTypes()
"""Python's own types, without those of the machine."""
