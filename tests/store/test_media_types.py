"""One table defines the media types of files, the same on every machine."""

import mimetypes

import pytest

from blastgit.annotations.attachment_store import plan
from blastgit.store.media_types import BY_ENDING, OTHER, known_type, media_type


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        ("a/DES_z.fits", "application/fits"), ("a/b.FITS", "application/fits"), ("a/b.h5", "application/x-hdf5"),
        ("a/b.fits.gz", "application/gzip"), ("plot.svg", "image/svg+xml"), ("notes", OTHER), ("a.unheard-of", OTHER),
    ],
)  # fmt: skip
def test_the_type_of_a_file(path, type_):
    assert media_type(path) == type_


def test_the_machine_has_no_say(monkeypatch, tmp_path):
    monkeypatch.setitem(mimetypes.types_map, ".fits", "x-machine/fits")
    monkeypatch.setitem(mimetypes.types_map, ".unheard-of", "x-machine/own")
    for ending, type_ in BY_ENDING.items():
        file = tmp_path / f"file{ending}"
        file.write_bytes(b"x")
        attached, _ = plan(file)
        assert attached.mime == media_type(file.name) == known_type(file.name) == type_
    assert media_type("a.unheard-of") == OTHER
