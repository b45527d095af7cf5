"""Reading datasets as objects, each with its identity."""

import contextlib
import io
import json
import pickle
import random
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from astropy.io.fits import HDUList
from astropy.nddata import CCDData
from astropy.table import Table

from blastgit import DataRepo
from blastgit.datasets.types import read_types
from blastgit.errors import InvalidData, NotFound, ReaderFailed, RepoError, UsageError, Withdrawn
from blastgit.readers import identity_of, registry
from blastgit.readers.arrays import read_archive
from blastgit.repository.edit import BranchEdit, commit_to_branch
from blastgit.repository.local import LocalRepository

IMAGE = "cutout_cdn/DES/DES_z.fits"


def set_types(repo: Path, text: str) -> None:
    repository = LocalRepository(repo)
    whole = repository.main_file("blastgit.yaml") + f"dataset_types: {text}\n".encode()
    commit_to_branch(repository, "main", lambda _: BranchEdit({"blastgit.yaml": whole}, "Types"))


def test_a_cutout_is_what_was_published(library, states):
    repo = DataRepo(library)
    found = repo.dataset("cutout", "2026dgt", filter="DES_z", revision=0)
    assert isinstance(found, HDUList)
    assert identity_of(found) == f"2026dgt@0:{IMAGE}"
    assert found.identity.sha256 == "sha256:" + repo.show(f"2026dgt@0:{IMAGE}").value["sha256"]
    raw = repo.dataset("cutout", "2026dgt", filter="DES_z", revision=0, reader="bytes")
    assert raw == states[0].files["cutout_cdn/2026dgt/DES/DES_z.fits"]
    assert identity_of(raw) == f"2026dgt@0:{IMAGE}"
    later = repo.dataset("cutout", "2026dgt", filter="DES_z", reader="bytes")
    assert later == states[2].files["cutout_cdn/2026dgt/DES/DES_z.fits"] != raw
    assert identity_of(later) == f"2026dgt@1:{IMAGE}"


def test_a_cutout_with_coordinates(library):
    image = DataRepo(library).dataset("cutout", "2026dgt", filter="DES_z", revision=0, reader="ccd")
    assert isinstance(image, CCDData)
    assert image.wcs.has_celestial
    assert image.copy().meta["identity"] == f"2026dgt@0:{IMAGE}"


@pytest.mark.parametrize("type_", ["sed_model", "chain", "percentiles"])
def test_archives_are_mappings_of_arrays(library, states, type_):
    found = DataRepo(library).dataset(type_, "2026dgt", aperture="local", revision=0)
    end = {"sed_model": "modeldata", "chain": "chain", "percentiles": "perc"}[type_]
    data = states[0].files[f"sed_output/2026dgt/2026dgt_local_{end}.npz"]
    expected = {}
    with np.load(io.BytesIO(data), allow_pickle=True) as archive:  # the test made it
        for name, array in archive.items():
            expected |= array.item() if array.dtype == object else {name: array}
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
    assert identity_of(found) == f"2026dgt@0:sed_output/2026dgt_local_{end}.npz"


def test_a_pickle_is_never_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "touched",))

    target = io.BytesIO()
    np.savez(target, chains=np.array({"a": Evil()}, object), allow_pickle=True)
    with pytest.raises(ValueError, match="not called here"):
        read_archive(target.getvalue())
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", [">f8", "f4", "i8", "?", "U5"])
def test_pickled_arrays_of_every_protocol(protocol, dtype):
    from blastgit.content.pickled import arrays_in

    array = np.arange(6).astype(dtype).reshape(2, 3)
    value = {"c": array, "f": np.asfortranarray(array), "n": np.float64(2.5), "list": [array], "text": "x"}
    found = arrays_in(pickle.dumps(value, protocol))
    np.testing.assert_array_equal(found["c"], array)
    np.testing.assert_array_equal(found["f"], array)
    assert (found["n"], found["text"]) == (2.5, "x")


def test_a_damaged_pickle_is_an_error_and_nothing_worse():
    from blastgit.content.pickled import arrays_in

    generator = random.Random(1)
    whole = pickle.dumps({"c": np.arange(6.0).reshape(2, 3), "n": np.float64(2.5), "list": [np.arange(3)]}, 5)
    read = 0
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(generator.randint(1, 4)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        with contextlib.suppress(ValueError):
            arrays_in(bytes(damaged))
            read += 1
    assert 0 < read < 1500  # what hits a number or a name is no damage to the pickle


def test_posterior_is_open_hdf5(library):
    with DataRepo(library).dataset("posterior", "2026dgt", aperture="global") as file:
        assert "sampling/chain" in file
        assert identity_of(file) == "2026dgt@1:sed_output/2026dgt_global.h5"


def test_photometry_has_units_and_identity(library):
    table = DataRepo(library).dataset("photometry", "2026dgt", revision=0)
    assert isinstance(table, Table)
    assert str(table["flux"].unit) == "uJy"
    assert table.copy().meta["identity"] == "2026dgt@0:photometry"
    one = DataRepo(library).dataset("photometry", "2026dgt", filter="DES_z", aperture="global", revision=0)
    assert len(one) == 1
    assert identity_of(one) == "2026dgt@0:photometry/2026dgt_DES_z_global/DES_z"
    assert one["snr"][0] == pytest.approx(one["flux"][0] / one["flux_error"][0])


@pytest.mark.parametrize("type_", ["sed", "sfh", "apertures", "filters", "stages", "host", "transient"])
def test_rows_of_every_kind(library, type_):
    found = DataRepo(library).dataset(type_, "2026dgt")
    assert identity_of(found).startswith("2026dgt@1:")
    assert len(found)
    as_json = DataRepo(library).dataset(type_, "2026dgt", reader="json")
    assert json.dumps(as_json)


def test_what_is_missing_in_a_row_is_masked(library):
    table = DataRepo(library).dataset("filters", "2026dgt")
    assert table["magnitude_zero_point"].mask.any()
    assert not table["magnitude_zero_point"].mask.all()


@pytest.mark.parametrize(
    ("which", "error", "words"),
    [
        ({}, UsageError, "has 4 of the type cutout: which one.*survey='DES', filter='DES_g'"),
        ({"filter": "DES_q"}, NotFound, "no cutout with filter='DES_q'; there is filter 2MASS_J, DES_g, DES_z"),
        ({"fliter": "DES_z"}, UsageError, "did you mean filter"),
        ({"filter": "DES_z", "revision": 7}, NotFound, "no revision 7"),
        ({"filter": "DES_z", "reader": "ccdd"}, NotFound, "no reader 'ccdd' on this machine"),
        ({"filter": "DES_z", "time": "2026-05-27T00:00:00Z"}, UsageError, "name it"),
        ({"filter": "DES_z", "revision": 0, "collection": "c"}, UsageError, "not both"),
        ({"filter": "DES_z", "reader": "table"}, UsageError, "is a file and no rows"),
    ],
)
def test_what_cannot_be_answered_says_why(library, which, error, words):
    with pytest.raises(error, match=words):
        DataRepo(library).dataset("cutout", "2026dgt", **which)


def test_an_unknown_type_is_refused_with_what_is_near(library):
    with pytest.raises(NotFound, match="no dataset type 'cutuot'; did you mean cutout"):
        DataRepo(library).dataset("cutuot", "2026dgt")


def test_a_type_of_ones_own(history, monkeypatch):
    set_types(history, "{log_image: {files: 'cutout_cdn/{survey}/{filter}.fits', reader: log_image}, cutout: null}")
    entry = EntryPoint("log_image", "plugin_of_a_test:read", registry.GROUP)
    monkeypatch.setattr(registry, "_plugins", lambda: {"log_image": entry})
    monkeypatch.setattr(EntryPoint, "load", lambda self: lambda dataset: [dataset.key["filter"], len(dataset.data())])
    repo = DataRepo(history)
    assert repo.dataset("log_image", "2026dgt", filter="DES_z")[0] == "DES_z"
    with pytest.raises(NotFound, match="no dataset type 'cutout'"):
        repo.dataset("cutout", "2026dgt", filter="DES_z")


def test_a_type_whose_reader_is_not_installed(history):
    set_types(history, "{picture: {files: 'cutout_cdn/{survey}/{filter}.jpg', reader: painter}}")
    with pytest.raises(NotFound, match="no reader 'painter' on this machine"):
        DataRepo(history).dataset("picture", "2026dgt")
    assert DataRepo(history).dataset("picture", "2026dgt", reader="bytes").startswith(b"\xff\xd8")


def test_a_reader_that_raises(history, monkeypatch):
    set_types(history, "{picture: {files: 'cutout_cdn/{survey}/{filter}.jpg', reader: json}}")
    with pytest.raises(ReaderFailed, match=r"2026dgt@1:cutout_cdn/DES/DES_z.jpg, a picture, .* reader 'json': Unicode"):
        DataRepo(history).dataset("picture", "2026dgt")


def test_a_plugin_that_cannot_be_loaded(library, monkeypatch):
    monkeypatch.setattr(registry, "_plugins", lambda: {"broken": EntryPoint("broken", "no_such_module:x", "")})
    with pytest.raises(NotFound, match=r"'broken' .no_such_module:x. cannot be loaded: ModuleNotFoundError"):
        DataRepo(library).dataset("cutout", "2026dgt", filter="DES_z", reader="broken")


def test_a_virtual_column_is_checked_against_a_stored_one(history):
    set_types(
        history,
        "{photometry: {virtual: {double: {recipe: 2 * flux, unit: uJy}, "
        "same: {recipe: flux * 1, same_as: flux}, other: {recipe: flux + 1, same_as: flux}}}}",
    )
    table = DataRepo(history).dataset("photometry", "2026dgt", filter="DES_z", aperture="global")
    assert table["double"][0] == 2 * table["flux"][0]
    assert str(table["double"].unit) == "uJy"
    assert len(table.meta["faults"]) == 1
    assert "by the recipe flux + 1" in table.meta["faults"][0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ([], "should map the name of each type to what it is"),
        ({"Cutout": {"files": "a/b"}}, "small letters"),
        ({"x": {"files": "a/b", "rows": "sed"}}, "either files .* or rows"),
        ({"x": {}}, "either files"),
        ({"x": {"files": "root"}}, "not a pattern of a path"),
        ({"x": {"files": "a/{b}/{b}"}}, "a key twice"),
        ({"x": {"files": "a/{revision}"}}, "cannot be a key"),
        ({"x": {"files": "a/b", "colour": 1}}, "unknown key 'colour'"),
        ({"x": {"rows": "stars"}}, "should be one of transient, host"),
        ({"x": {"rows": "sed", "keys": 3}}, "keys should be a mapping"),
        ({"x": None}, "no such type to remove"),
        ({"x": {"rows": "sed", "virtual": {"y": {"recipe": "__import__('os')"}}}}, "not a formula"),
        ({"x": {"rows": "sed", "virtual": {"y": {"recipe": "a.b"}}}}, "not a formula"),
        ({"x": {"rows": "sed", "virtual": {"y": {"recipe": "1 +"}}}}, "not a formula"),
        ({"x": {"rows": "sed", "virtual": {"y": 1}}}, "should have a recipe"),
    ],
)
def test_settings_that_make_no_sense(text, words):
    with pytest.raises(RepoError, match=words):
        read_types(text)


def test_through_a_collection(history):
    repo = DataRepo(history)
    repo.collections.create("samples/first", "TAGGED", "a test")
    repo.collections.add("samples/first", ["2026dgt@0"], "a test")
    found = repo.dataset("cutout", "2026dgt", filter="DES_z", collection="samples/first")
    assert found.identity.collection == "samples/first"
    assert identity_of(found) == f"2026dgt@0:{IMAGE}"
    repo.collections.create("samples/image", "TAGGED", "a test")
    repo.collections.add("samples/image", [f"2026dgt@1:{IMAGE}"], "a test")
    assert identity_of(repo.dataset("cutout", "2026dgt", collection="samples/image")) == f"2026dgt@1:{IMAGE}"
    with pytest.raises(NotFound, match="samples/image has no"):
        repo.dataset("chain", "2026dgt", aperture="local", collection="samples/image")


def test_what_was_withdrawn_is_refused(history):
    repo = DataRepo(history)
    repo.withdraw(f"2026dgt@0:{IMAGE}", "a test")
    with pytest.raises(Withdrawn, match="a test"):
        repo.dataset("cutout", "2026dgt", filter="DES_z", revision=0)


def test_what_a_failed_stage_left_is_refused(repo, record, sample):
    from blastgit.demo import fail_stage

    record(repo, fail_stage(sample, "Local aperture photometry"))
    with pytest.raises(InvalidData, match="photometry"):
        DataRepo(repo).dataset("photometry", "2026dgt", aperture="local")
    assert len(DataRepo(repo).dataset("photometry", "2026dgt", aperture="global"))
    assert len(DataRepo(repo).dataset("photometry", "2026dgt", even_invalid=True))


def test_every_type_of_a_revision(library):
    types = DataRepo(library).types
    found = types.of("2026dgt@0")
    assert {each.type for each in found} == {each.name for each in types.list()}
    assert [str(each) for each in types.of("2026dgt@0", "sed_plot")] == [
        "2026dgt@0:sed_output/2026dgt_global.jpg", "2026dgt@0:sed_output/2026dgt_local.jpg",
    ]  # fmt: skip


def test_real_cases(cases, repo):
    folder = cases / "2010H/a_first"
    there = DataRepo.init(repo.parent / "real")
    there.record("2010H", folder / "export.json", folder / "data")
    for each in there.types.of("2010H"):
        assert each.sha256 or each.path
    assert there.dataset("chain", "2010H", aperture="global")["sfh"].shape == (2500, 100)
    assert str(there.dataset("photometry", "2010H")["flux"].unit) == "uJy"
    for filter_ in ("2MASS_H", "SDSS_r"):
        assert there.dataset("cutout", "2010H", filter=filter_, reader="ccd").wcs is not None
