"""What a file is, by the end of its name, as a MIME type."""

BY_ENDING = {
    ".fits": "image/fits",
    ".fits.gz": "application/gzip",
    ".npz": "application/x-npz",
    ".h5": "application/x-hdf5",
    ".hdf5": "application/x-hdf5",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".csv": "text/csv",
    ".txt": "text/plain",
}
OTHER = "application/octet-stream"


def content_type(path: str) -> str:
    """Return the MIME type of a file."""
    return next((type_ for ending, type_ in BY_ENDING.items() if path.endswith(ending)), OTHER)
