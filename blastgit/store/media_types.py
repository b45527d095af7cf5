"""Media types by file extension: the only such table in blastgit.

The system's own table (`/etc/mime.types`) is not used, since it differs between machines.
"""

from __future__ import annotations

from mimetypes import MimeTypes

BY_ENDING = {
    ".fits": "application/fits",  # RFC 4047: for both images and tables
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
    """Return the media type of a dataset's file; None if its extension is unknown."""
    return next((type_ for ending, type_ in BY_ENDING.items() if path.lower().endswith(ending)), None)


def media_type(path: str) -> str:
    """Return the media type of any file, including attachments."""
    return known_type(path) or _PYTHONS.guess_type(path)[0] or OTHER


_PYTHONS = MimeTypes()
"""Python's own types, without those of the machine."""
