"""The invented data are realistic: files that astronomical libraries open, and tables that Blast could write."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile

import h5py
import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image

from blastgit.demo import DEFAULT_FILTERS, process, small
from blastgit.demo.tables import TASKS


@pytest.fixture(scope="module")
def sample():
    return process()


def digest(sample):
    parts = [sample.text.encode(), *(path.encode() + content for path, content in sample.files.items())]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_same_arguments_give_the_same_bytes_in_another_process(tmp_path):
    code = """
import hashlib, pathlib, sys
from blastgit.demo import *
s = change_image(small("2026abc"), seed=1)
parts = [s.text.encode(), *(path.encode() + content for path, content in s.files.items())]
print(hashlib.sha256(b"".join(parts)).hexdigest())
print(hashlib.sha256(s.archive(pathlib.Path(sys.argv[1])).read_bytes()).hexdigest())
"""
    runs = [
        subprocess.run([sys.executable, "-c", code, tmp_path / "a"], capture_output=True, check=True, text=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1] != ""


def test_seed_and_name_give_other_data():
    assert len({digest(small("2026a")), digest(small("2026a", seed=1)), digest(small("2026b"))}) == 3


@pytest.mark.parametrize(("pixels", "low", "high"), [(120, 1.5e6, 2.5e6), (300, 8e6, 12e6)])
def test_sizes(pixels, low, high):
    files = process(pixels=pixels).files
    assert low < sum(map(len, files.values())) < high
    assert 23 <= len(files) <= 27


def test_small_is_small():
    sample = small("2026a")
    assert sum(map(len, sample.files.values())) + len(sample.text) < 100 * 1024


def test_every_cutout_opens_and_lies_in_the_sky(sample):
    where = sample.export["transient"]["fields"]
    paths = [path for path in sample.files if path.endswith(".fits")]
    assert len(paths) == len(DEFAULT_FILTERS)
    for path in paths:
        with fits.open(io.BytesIO(sample.files[path])) as hdus:
            hdus.verify("exception")
            assert hdus[0].data.dtype == np.dtype(">f4")
            assert hdus[0].data.shape == (120, 120)
            assert np.isfinite(hdus[0].data).all()
            assert hdus[0].data.max() > 10 * np.median(np.abs(hdus[0].data))
            wcs = WCS(hdus[0].header)
            assert wcs.has_celestial
            assert wcs.pixel_to_world(59.5, 59.5).separation(
                type(wcs.pixel_to_world(0, 0))(where["ra_deg"], where["dec_deg"], unit="deg")
            ).arcsec == pytest.approx(0, abs=1e-6)
            assert {"DATE-OBS", "FILTER", "EXPTIME", "MAGZP"} <= set(hdus[0].header)


def test_pixels_and_photometry_agree(sample):
    """The light in the painted host is the flux in the table."""
    export = sample.export
    names = {row["pk"]: row["fields"]["name"] for row in export["filters"]}
    path = "cutout_cdn/2026dgt/2MASS/2MASS_J.fits"
    with fits.open(io.BytesIO(sample.files[path])) as hdus:
        counts, zero = hdus[0].data, hdus[0].header["MAGZP"]
        wcs = WCS(hdus[0].header)
    host = export["host"]["fields"]
    x, y = wcs.wcs_world2pix(host["ra_deg"], host["dec_deg"], 0)
    rows, columns = np.indices(counts.shape)
    inside = np.hypot(columns - x, rows - y) < 14
    (row,) = [
        row["fields"]
        for aperture in export["apertures"]
        for row in aperture["aperturephotometry"]
        if aperture["fields"]["type"] == "global" and names[row["fields"]["filter"]] == "2MASS_J"
    ]
    assert zero - 2.5 * np.log10(counts[inside].sum()) == pytest.approx(row["magnitude"], abs=0.15)


def test_sed_files_open_and_hold_what_blast_writes(sample):
    for scope in ("local", "global"):
        stem = f"sed_output/2026dgt/2026dgt_{scope}"
        with h5py.File(io.BytesIO(sample.files[f"{stem}.h5"])) as file:
            count = len(json.loads(file["obs"].attrs["filternames"]))
            assert file["sampling/chain"].shape == (400, 18)
            assert file["obs/maggies"].shape == file["obs/maggies_unc"].shape == file["obs/phot_mask"].shape == (count,)
            assert file["obs/phot_mask"].dtype == bool
        chain = np.load(io.BytesIO(sample.files[f"{stem}_chain.npz"]), allow_pickle=True)["chains"]
        assert chain.dtype == object
        assert chain.shape == ()
        assert chain.item()["sfh"].shape == (400, 100)
        assert chain.item()["sfr"].shape == (160, 3)
        levels = np.load(io.BytesIO(sample.files[f"{stem}_perc.npz"]), allow_pickle=True)
        assert levels["percentiles"].item()["modspec"].shape == (400, 3)
        assert levels["percentiles"].item()["sfh_binned"].shape == (7, 3)
        assert levels["theta_lbs"].dtype == "<U3"
        model = np.load(io.BytesIO(sample.files[f"{stem}_modeldata.npz"]))
        assert model["spec"].shape == (400,)
        assert model["phot"].shape == (count,)
        assert (model["spec_16"] < model["spec_84"]).all()


def test_thumbnails_are_pictures(sample):
    thumbnails = [path for path in sample.files if path.endswith(".jpg")]
    assert len(thumbnails) == 3
    for path in thumbnails:
        with Image.open(io.BytesIO(sample.files[path])) as picture:
            assert picture.format == "JPEG"
            picture.load()


def test_tables_hold_together(sample):
    export = sample.export
    assert list(export) == [
        "metadata", "transient", "host", "apertures", "cutouts", "filters", "surveys", "workflow_tasks",
    ]  # fmt: skip
    assert (len(export["filters"]), len(export["surveys"]), len(export["cutouts"])) == (24, 6, 24)
    assert [task["task_name"] for task in export["workflow_tasks"]] == list(TASKS)
    assert len(export["apertures"]) == len(DEFAULT_FILTERS) + 1
    carriers = [aperture for aperture in export["apertures"] if aperture["sedfittingresults"]]
    assert sorted(aperture["fields"]["type"] for aperture in carriers) == ["global", "local"]
    for aperture in carriers:
        (result,) = aperture["sedfittingresults"]
        assert len(result["fields"]) == 57
        assert result["fields"]["log_mass_16"] < result["fields"]["log_mass_50"] < result["fields"]["log_mass_84"]
        assert result["fields"]["logsfh"] == [row["pk"] for row in aperture["starformationhistoryresult"]]
        assert len(result["fields"]["logsfh"]) == 7
        ends = "posterior", "chains_file", "percentiles_file", "model_file"
        assert all(result["fields"][name].removeprefix("/data/") in sample.files for name in ends)
    for cutout in export["cutouts"]:
        path, message = cutout["fields"]["fits"], cutout["fields"]["message"]
        assert (path.removeprefix("/data/") in sample.files) if path else message == "No image found"


def test_export_is_json(sample, tmp_path):
    assert json.loads(sample.text) == sample.export
    export, data = sample.write(tmp_path)
    assert json.loads(export.read_text()) == sample.export
    assert {p.relative_to(data).as_posix(): p.read_bytes() for p in data.rglob("*") if p.is_file()} == sample.files


def test_archive_is_laid_out_as_blasts_own(tmp_path):
    sample = small("2026a")
    with tarfile.open(sample.archive(tmp_path / "2026a.tar.gz")) as archive:
        names = archive.getnames()
        member = archive.extractfile("cutouts/DES/DES_z.fits")
        assert member is not None
        assert member.read() == sample.files["cutout_cdn/2026a/DES/DES_z.fits"]
    assert names[0] == "transient.json"
    assert names.count("sed_data/2026a_local_chain.npz") == 2
    assert names.count("sed_data/2026a_local.h5") == names.count("sed_data/2026a_local.jpg") == 1
    assert len(set(names)) == len(sample.files) + 1


def test_any_filters_make_a_sample():
    sample = process("2026b", filters=["WISE_W4"], pixels=16)  # too coarse for a valid local flux
    assert len([path for path in sample.files if path.endswith(".fits")]) == 1
    assert "NaN" not in sample.text
