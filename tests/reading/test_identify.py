"""Identifying a file, an export, an archive or a folder among the published data."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.demo import change_image, edit_flux
from blastgit.errors import InvalidFiles

IMAGE = "cutout_cdn/DES/DES_z.fits"


@pytest.fixture
def got(library, tmp_path) -> Path:
    """Revision 0, as somebody got it."""
    DataRepo(library).get("2026dgt@0", tmp_path / "got")
    return tmp_path / "got"


def test_a_folder_that_was_got(library, got):
    found = DataRepo(library).identify(got)
    assert (found.matches, found.same_bytes) == (("2026dgt@0",), True)


def test_what_plain_dvc_pulled(library, tmp_path, run):
    run("git", "clone", "--quiet", "--branch", "2026dgt/1", "--single-branch", library, tmp_path / "clone")
    run("dvc", "pull", "--quiet", cwd=tmp_path / "clone")
    assert DataRepo(library).identify(tmp_path / "clone").matches == ("2026dgt@1",)


def test_an_export_of_a_later_run_with_other_keys(library, states, tmp_path):
    (tmp_path / "export.json").write_text(json.dumps(states[1].export))
    found = DataRepo(library).identify(tmp_path / "export.json")
    assert (found.matches, found.same_bytes) == (("2026dgt@0",), False)


def test_an_archive_of_blast(library, tmp_path):
    archive = DataRepo(library).export("2026dgt@1", tmp_path / "out").path
    assert DataRepo(library).identify(archive).matches == ("2026dgt@1",)


@pytest.mark.parametrize("path", [IMAGE, "sed_output/2026dgt_global_chain.npz"])
def test_a_single_file(library, got, path, tmp_path):
    shutil.copy(got / path, tmp_path / "any-name")
    expected = {IMAGE: ("2026dgt@0:" + IMAGE,), "sed_output/2026dgt_global_chain.npz": (f"2026dgt@0:{path}",)}
    assert DataRepo(library).identify(tmp_path / "any-name").matches == expected[path]


def test_a_file_that_several_revisions_share(library, got):
    found = DataRepo(library).identify(got / "cutout_cdn/DES/DES_g.fits")
    assert found.matches == ("2026dgt@1:cutout_cdn/DES/DES_g.fits", "2026dgt@0:cutout_cdn/DES/DES_g.fits")


def test_a_file_of_other_bytes_and_the_same_content(library, got, tmp_path):
    name = "2026dgt_global_chain.npz"
    with zipfile.ZipFile(got / "sed_output" / name) as packed, zipfile.ZipFile(tmp_path / name, "w") as again:
        for member in packed.namelist():
            again.writestr(member, packed.read(member), zipfile.ZIP_DEFLATED)
    assert (tmp_path / name).read_bytes() != (got / "sed_output" / name).read_bytes()
    found = DataRepo(library).identify(tmp_path / name)
    assert (found.matches, found.same_bytes) == ((f"2026dgt@0:sed_output/{name}",), False)


def test_a_state_that_was_never_published_and_its_nearest(library, states, tmp_path):
    export, _ = edit_flux(states[2], "DES_z", 1.5).write(tmp_path / "in")
    found = DataRepo(library).identify(export)
    assert (found.matches, found.nearest) == ((), "2026dgt@1")
    assert "DES_z" in found.reason
    assert any(change.field == "flux" for change in found.fields)


def test_a_changed_image_says_how_far_it_is(library, states, tmp_path):
    content = change_image(states[0], "DES_z", seed=9).files["cutout_cdn/2026dgt/DES/DES_z.fits"]
    (tmp_path / "DES_z.fits").write_bytes(content)
    found = DataRepo(library).identify(tmp_path / "DES_z.fits", of="2026dgt")
    assert found.matches == ()
    assert found.nearest in (f"2026dgt@0:{IMAGE}", f"2026dgt@1:{IMAGE}")
    assert "pixel" in found.reason


def test_damage_is_a_difference(library, got):
    path = got / "sed_output/2026dgt_global_chain.npz"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-100])
    found = DataRepo(library).identify(got)
    assert (found.matches, found.nearest) == ((), "2026dgt@0")
    assert [file.path for file in found.files] == ["sed_output/2026dgt_global_chain.npz"]


def test_a_missing_file_is_a_difference(library, got):
    (got / IMAGE).unlink()
    found = DataRepo(library).identify(got)
    assert found.matches == ()
    assert [(file.path, file.change) for file in found.files] == [(IMAGE, "removed")]


def test_from_a_mirror_without_the_contents_and_from_a_url(library, got, tmp_path, run):
    run("git", "clone", "--quiet", "--mirror", library, tmp_path / "mirror.git")
    for where in (tmp_path / "mirror.git", library.as_uri()):
        assert DataRepo(where).identify(got).matches == ("2026dgt@0",)
        assert DataRepo(where).identify(got / IMAGE).matches == (f"2026dgt@0:{IMAGE}",)


def test_what_is_nothing(library, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    found = DataRepo(library).identify(tmp_path / "notes.txt")
    assert (found.matches, found.nearest) == ((), None)
    with pytest.raises(InvalidFiles, match="there is no file"):
        DataRepo(library).identify(tmp_path / "absent")
    with pytest.raises(InvalidFiles, match="should hold one export"):
        DataRepo(library).identify(tmp_path)


def test_a_transient_that_is_not_here(library, states, tmp_path):
    export = json.loads(json.dumps(states[0].export).replace("2026dgt", "2030abc"))
    (tmp_path / "export.json").write_text(json.dumps(export))
    found = DataRepo(library).identify(tmp_path / "export.json")
    assert (found.matches, found.reason) == ((), "there is no transient 2030abc here")
