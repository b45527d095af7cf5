import os

import pytest

from blastgit.errors import InvalidExport, InvalidFiles
from blastgit.naming.paths import dataset_path
from blastgit.recording.sources import gather

IMAGE = "cutout_cdn/2026dgt/DES/DES_z.fits"


def write(folder, *paths):
    for path in paths:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.encode())


def naming(*paths):
    rows = [{"pk": n, "fields": {"name": str(n), "fits": path}} for n, path in enumerate(paths)]
    return {"cutouts": rows, "apertures": []}


def test_only_the_folder_of_the_transient_is_taken_out():
    assert dataset_path(IMAGE) == "cutout_cdn/DES/DES_z.fits"
    assert dataset_path("sed_output/2026dgt/2026dgt_global.h5") == "sed_output/2026dgt_global.h5"
    assert dataset_path("sed_output/2026dgt_global.h5") == "sed_output/2026dgt_global.h5"


def test_files_are_found_where_blast_leaves_them(tmp_path):
    write(tmp_path, IMAGE, "cutout_cdn/2026dgt/DES/DES_z.jpg", "cutout_cdn/2026dgt2/DES/DES_g.fits")
    write(tmp_path, "sed_output/2026dgt/2026dgt_local.h5", "sed_output/2026dgt_global.h5", "sed_output/2026x_global.h5")
    found = gather(tmp_path, "2026dgt", naming(f"/data/{IMAGE}"))
    assert {path: str(file.relative_to(tmp_path)) for path, file in found.items()} == {
        "cutout_cdn/DES/DES_z.fits": IMAGE,
        "cutout_cdn/DES/DES_z.jpg": "cutout_cdn/2026dgt/DES/DES_z.jpg",
        "sed_output/2026dgt_global.h5": "sed_output/2026dgt_global.h5",
        "sed_output/2026dgt_local.h5": "sed_output/2026dgt/2026dgt_local.h5",
    }
    assert list(found) == sorted(found)


def test_a_renamed_transient_keeps_its_files_under_the_former_name(tmp_path):
    write(tmp_path, "cutout_cdn/2010H/SDSS/SDSS_r.fits", "cutout_cdn/2010H/SDSS/SDSS_r.jpg")
    found = gather(tmp_path, "2026dgt", naming("/data/cutout_cdn/2010H/SDSS/SDSS_r.fits"))
    assert list(found) == ["cutout_cdn/SDSS/SDSS_r.fits", "cutout_cdn/SDSS/SDSS_r.jpg"]


def test_no_data_at_all(tmp_path):
    assert gather(tmp_path, "2026dgt", naming()) == {}
    with pytest.raises(InvalidFiles, match="there is no folder"):
        gather(tmp_path / "none", "2026dgt", naming())


def test_a_file_that_a_row_names_must_be_there(tmp_path):
    write(tmp_path, "cutout_cdn/2026dgt/DES/DES_g.fits")
    with pytest.raises(InvalidFiles, match=r"names cutout_cdn/2026dgt/DES/DES_Y.fits and 1 more.*still running"):
        gather(tmp_path, "2026dgt", naming(f"/data/{IMAGE}", "/data/cutout_cdn/2026dgt/DES/DES_Y.fits"))


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "cutout_cdn/2026dgt/DES/DES_z.fits", "/data/cutout_cdn/../../etc/passwd", "/data/other/x.fits",
        "/data/cutout_cdn/2026dgt/../2026x/DES/DES_z.fits", "/data/cutout_cdn//2026x/DES/DES_z.fits",
        "/data/cutout_cdn/./2026x/DES/DES_z.fits", 5, ["/data/cutout_cdn/a/b/c"],
    ],
)  # fmt: skip
def test_rows_may_name_files_of_blasts_folders_only(tmp_path, path):
    write(tmp_path, IMAGE, "cutout_cdn/2026x/DES/DES_z.fits")
    with pytest.raises(InvalidExport, match="which is not below"):
        gather(tmp_path, "2026dgt", naming(path))


def test_links_that_lead_out_are_refused(tmp_path):
    data, outside = tmp_path / "data", tmp_path / "outside"
    write(outside, "secret.fits")
    write(data, IMAGE)
    link = data / "cutout_cdn/2026dgt/DES/link.fits"
    link.symlink_to(outside / "secret.fits")
    with pytest.raises(InvalidFiles, match="leads out"):
        gather(data, "2026dgt", naming())
    link.unlink()
    link.symlink_to(data / IMAGE)
    assert "cutout_cdn/DES/link.fits" in gather(data, "2026dgt", naming())
    (data / "cutout_cdn/2026dgt/WISE").symlink_to(data / "cutout_cdn/2026dgt/DES")
    with pytest.raises(InvalidFiles, match="link to a folder"):
        gather(data, "2026dgt", naming())


def test_the_folder_of_a_transient_may_not_be_a_link_that_leads_out(tmp_path):
    data, outside = tmp_path / "data", tmp_path / "outside"
    write(outside, "DES/DES_z.fits")
    (data / "cutout_cdn").mkdir(parents=True)
    (data / "cutout_cdn/2026dgt").symlink_to(outside)
    with pytest.raises(InvalidFiles, match="leads out"):
        gather(data, "2026dgt", naming())


def test_the_data_folder_itself_may_be_a_link(tmp_path):
    write(tmp_path / "data", IMAGE)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert list(gather(tmp_path / "link", "2026dgt", naming())) == ["cutout_cdn/DES/DES_z.fits"]


def test_files_that_would_meet_at_one_path_are_refused(tmp_path):
    write(tmp_path, "sed_output/2026dgt/2026dgt_local.h5", "sed_output/2026dgt_local.h5")
    with pytest.raises(InvalidFiles, match="would both become sed_output/2026dgt_local"):
        gather(tmp_path, "2026dgt", naming())


def test_a_renamed_transient_that_ran_again_has_two_sets_of_images(tmp_path):
    """Rows of both names are left, and no dataset holds two files at one path: somebody has to say which counts."""
    former = "cutout_cdn/2010H/DES/DES_z.fits"
    write(tmp_path, IMAGE, former)
    with pytest.raises(
        InvalidFiles, match=f"^{former} and {IMAGE} would both become .* the rows and files of its former"
    ):
        gather(tmp_path, "2026dgt", naming(f"/data/{IMAGE}", f"/data/{former}"))
    assert list(gather(tmp_path, "2026dgt", naming(f"/data/{IMAGE}"))) == ["cutout_cdn/DES/DES_z.fits"]


@pytest.mark.parametrize("name", ["DES_z.fits.dvc", ".gitignore", b"\xff.fits", "a\nb.fits", "des_z.fits"])
def test_files_that_no_dataset_can_hold_are_refused(tmp_path, name):
    write(tmp_path, IMAGE)
    folder = os.fsencode(tmp_path / "cutout_cdn/2026dgt/DES")
    with open(os.path.join(folder, os.fsencode(name)), "wb") as file:  # noqa: PTH118, PTH123 (a name that is not text)
        file.write(b"x")
    with pytest.raises(InvalidFiles):
        gather(tmp_path, "2026dgt", naming())
