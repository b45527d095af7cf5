import io

import h5py
import numpy as np
import pytest
from astropy.io import fits

from blastgit import DataRepo, compare_exports
from blastgit.demo import Sample, edit_flux, fail_stage, flip_validation, refit, reprocess, small
from blastgit.errors import InvalidExport, InvalidName, NotFound

IMAGE = "cutout_cdn/2026dgt/DES/DES_z.fits"


def with_file(sample, path, content):
    return Sample(sample.export, {**sample.files, path: content})


def fits_with(content, change):
    with fits.open(io.BytesIO(content)) as hdus:
        change(hdus[0])
        buffer = io.BytesIO()
        hdus.writeto(buffer)
    return buffer.getvalue()


@pytest.fixture
def diff_of(repo, record):
    """Record two states and compare them."""

    def call(old, new):
        assert [record(repo, old).status, record(repo, new).status] == ["recorded", "recorded"]
        return DataRepo(repo).diff("2026dgt@0", "2026dgt@1")

    return call


def only(files):
    (file,) = files
    return file


def test_equal_revisions(library):
    found = DataRepo(library).diff("2026dgt@0", "2026dgt/0")
    assert (found.is_empty, found.files, found.fields) == (True, [], [])


def test_all_that_differs(library):
    found = DataRepo(library).diff("2026dgt@0", "2026dgt")
    assert not found.is_empty
    assert found.reason.startswith("DES_z image changed; flux changed in DES_z by +3 %")
    files = {file.change.path: file for file in found.files}
    assert {file.change.change for file in found.files} == {"changed"}
    assert files["cutout_cdn/DES/DES_z.jpg"].change.derived
    image = files["cutout_cdn/DES/DES_z.fits"].to_json()["content"]
    assert image["kind"] == "fits"
    assert image["hdus"][0]["numbers"]["changed"] == 256
    arrays = files["sed_output/2026dgt_global_modeldata.npz"].to_json()["content"]["arrays"]
    assert {each["state"] for each in arrays} == {"changed"}
    assert files["sed_output/2026dgt_global.h5"].to_json()["content"]["arrays"]
    chain = files["sed_output/2026dgt_global_chain.npz"].to_json()["content"]["arrays"]  # pickled, read without that
    assert {each["numbers"]["unit"] for each in chain} == {"values"}


def test_backwards_is_the_mirror_image(library):
    there, back = (DataRepo(library).diff(*pair) for pair in (("2026dgt@0", "2026dgt@1"), ("2026dgt@1", "2026dgt@0")))
    assert {(c.path, c.old, c.new) for c in there.fields} == {(c.path, c.new, c.old) for c in back.fields}


def test_fields_come_with_their_relative_change(diff_of, sample):
    found = diff_of(sample, edit_flux(sample, "DES_g", 1.001))
    assert found.reason == "flux changed in DES_g by +0.1 %"
    field = only(found.fields)
    assert field.path == "photometry/2026dgt_DES_g_global/DES_g.flux"
    assert field.relative == pytest.approx(1e-3)
    assert found.files == []


def test_the_point_comes_first(diff_of, sample):
    found = diff_of(sample, flip_validation(sample, ["DES_g", "WISE_W1"]))
    assert found.reason == "2 is_validated flags flipped (DES_g, WISE_W1), no flux changed"


def test_a_stage_that_fails_now(diff_of, sample):
    found = diff_of(sample, fail_stage(sample, "Host match", "no host match"))
    assert found.reason == "Host match now ends with 'no host match'"


def test_a_fit_that_draws_other_samples_says_that_no_input_changed(diff_of, sample):
    assert "though no input changed" in diff_of(sample, refit(sample, seed=3)).reason


def test_pixels_of_an_image(diff_of, sample):
    def brighten(hdu):
        hdu.data[3, 4:8] += 2.0

    found = diff_of(sample, with_file(sample, IMAGE, fits_with(sample.files[IMAGE], brighten)))
    numbers = only(only(found.files).difference.parts).numbers
    assert (numbers.changed, numbers.total, numbers.unit) == (4, 256, "pixels")
    assert numbers.largest == pytest.approx(2, rel=1e-5)
    assert numbers.median == pytest.approx(2, rel=1e-5)
    assert found.reason == "DES_z image changed"


def test_cards_of_an_image(diff_of, sample):
    def retitle(hdu):
        hdu.header["TESTCARD"] = ("new", "a card")
        hdu.header["DATE"] = "2031-01-01T00:00:00"

    found = diff_of(sample, with_file(sample, IMAGE, fits_with(sample.files[IMAGE], retitle)))
    cards = only(only(found.files).difference.parts).cards
    assert [(card.keyword, card.new) for card in cards] == [("TESTCARD", "new")]


def test_arrays_of_an_hdf5_file(diff_of, sample):
    path = "sed_output/2026dgt/2026dgt_local.h5"
    buffer = io.BytesIO(sample.files[path])
    with h5py.File(buffer, "r+") as file:
        names = []
        file.visititems(
            lambda name, item: names.append(name) if getattr(item, "size", 0) and item.dtype.kind == "f" else None
        )
        file[names[0]][...] = file[names[0]][...] * 2 + 1
    found = diff_of(sample, with_file(sample, path, buffer.getvalue()))
    parts = only(found.files).difference.parts
    assert [part.name for part in parts] == [names[0]]
    assert found.reason == "no value changed, but sed_output/2026dgt_local.h5 changed in content"


def test_arrays_of_an_npz_file(diff_of, sample):
    path = "sed_output/2026dgt/2026dgt_local_modeldata.npz"
    with np.load(io.BytesIO(sample.files[path])) as file:
        arrays = dict(file)
    name = next(iter(arrays))
    arrays[name] = arrays[name] + 1
    arrays["extra"] = np.arange(3)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    parts = only(diff_of(sample, with_file(sample, path, buffer.getvalue())).files).difference.parts
    assert {part.name: part.state for part in parts} == {name: "changed", "extra": "added"}


def test_files_that_came_and_went(diff_of, sample):
    extra = "cutout_cdn/2026dgt/DES/notes.txt"
    found = diff_of(with_file(sample, extra, b"a"), with_file(sample, "cutout_cdn/2026dgt/DES/other.txt", b"b"))
    assert [(file.change.path, file.change.change) for file in found.files] == [
        ("cutout_cdn/DES/notes.txt", "removed"),
        ("cutout_cdn/DES/other.txt", "added"),
    ]


def test_a_thumbnail_alone_is_no_difference(repo, sample, record):
    thumbnail = "cutout_cdn/2026dgt/DES/DES_z.jpg"
    record(repo, sample)
    record(repo, with_file(edit_flux(sample, "DES_g", 2), thumbnail, b"another picture"))
    record(repo, with_file(sample, thumbnail, b"a third"))
    found = DataRepo(repo).diff("2026dgt@0", "2026dgt@2")
    assert found.is_empty
    assert [(file.change.path, file.change.derived) for file in found.files] == [("cutout_cdn/DES/DES_z.jpg", True)]


def test_a_truncated_file_is_compared_as_bytes_and_said_so(diff_of, sample):
    found = diff_of(sample, with_file(sample, IMAGE, sample.files[IMAGE][:3000]))
    assert "new version: truncated FITS" in only(found.files).difference.summary()
    assert "compared as bytes" in only(found.files).change.note


def test_a_content_that_is_gone_is_a_problem_of_that_file_only(history):
    for path in (history / "dvc/files/md5").rglob("*"):
        if path.is_file() and path.stat().st_size == 5760:  # the images
            path.unlink()
    found = DataRepo(history).diff("2026dgt@0", "2026dgt@1")
    problems = {file.change.path: file.problem for file in found.files if file.problem}
    assert list(problems) == ["cutout_cdn/DES/DES_z.fits"]
    assert "lacks the content" in problems["cutout_cdn/DES/DES_z.fits"]
    assert found.fields


def test_exports_as_files(states, tmp_path):
    paths = [state.write(tmp_path / str(n))[0] for n, state in enumerate(states)]
    assert compare_exports(paths[0], paths[1]).is_empty
    found = compare_exports(paths[0], paths[2])
    assert not found.is_empty
    assert found.files == []
    assert found.old.label == str(paths[0])


def test_an_export_against_a_revision(library, states, tmp_path):
    export, _ = states[1].write(tmp_path)
    assert DataRepo(library).diff("2026dgt@0", str(export)).is_empty
    assert not DataRepo(library).diff(str(export), "2026dgt@1").is_empty


def test_the_same_export_across_a_schema_change(cases):
    """Case h2 is h1's database exported by a newer Blast."""
    old, new = sorted(cases.glob("*/h1*/export.json")), sorted(cases.glob("*/h2*/export.json"))
    assert len(old) == len(new) == 1
    found = compare_exports(old[0], new[0])
    assert found.is_empty, found.reason


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [("2026dgt@0", "2026dgt@9", NotFound), ("2026dgs", "2026dgt", NotFound), ("2026dgt@0", "no/file", InvalidName)],
)
def test_what_cannot_be_compared(library, old, new, error):
    with pytest.raises(error):
        DataRepo(library).diff(old, new)


def test_a_file_that_is_no_export(tmp_path):
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(InvalidExport, match=r"a\.json should be a JSON object"):
        compare_exports(tmp_path / "a.json", tmp_path / "a.json")


def test_two_transients_can_be_compared(repo, sample, record):
    record(repo, sample)
    record(repo, small("2010H"))
    found = DataRepo(repo).diff("2026dgt@0", "2010H@0")
    assert "transient.name" in {change.path for change in found.fields}


def test_a_reprocess_differs_in_nothing(sample, tmp_path):
    later = reprocess(sample, app_version="v1.14.0", export_time="2026-09-01T00:00:00+00:00", seed=7, all_keys=True)
    paths = [state.write(tmp_path / name)[0] for name, state in (("a", sample), ("b", later))]
    assert compare_exports(*paths).is_empty
