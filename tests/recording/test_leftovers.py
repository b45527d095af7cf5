"""Extra files of operating systems, editors and copying programs neither make a revision nor cause a refusal."""

import tarfile

import pytest

from blastgit import DataRepo
from blastgit.demo import small
from blastgit.recording.sources import gather
from blastgit.revision.leftovers import is_leftover

LEFT = [
    ".DS_Store", "._DES_z.fits", "Thumbs.db", "thumbs.DB", "desktop.ini", "Desktop.ini", "DES_z.fits~",
    ".DES_z.fits.swp", "#DES_z.fits#", ".#DES_z.fits", ".DES_z.fits.Ab3dE9", ".nfs000000000123abcd00000001",
    "DES_z.fits.part", ".~lock.DES_z.fits#", ".directory", "Icon\r", "__MACOSX/DES/._DES_z.fits",
    ".AppleDouble/DES_z.fits", ".Trash-1000/files/x.fits", ".rsync-partial/DES_z.fits",
    "@eaDir/DES_z.fits@SynoEAStream", ".ipynb_checkpoints/a.fits",
]  # fmt: skip
DATA = [
    "DES_z.fits", "a.b.fits", "2026dgt_global.h5", "part", "Thumbs.dbx", "store", "x.part.fits", "DES.desktop",
    "_DES.fits",
]  # fmt: skip


@pytest.mark.parametrize("name", LEFT)
def test_names_that_other_programs_leave(name):
    assert is_leftover(f"cutout_cdn/2026dgt/{name}")


@pytest.mark.parametrize("name", DATA)
def test_names_of_data(name):
    assert not is_leftover(f"cutout_cdn/2026dgt/DES/{name}")


@pytest.fixture
def recorded(tmp_path):
    sample = small("2026dgt")
    sample.write(tmp_path / "a")
    repo = DataRepo.init(tmp_path / "r.git", simulated=True)
    repo.record("2026dgt", tmp_path / "a" / "export.json", tmp_path / "a" / "data")
    return repo, tmp_path / "a"


def litter(data):
    for name in LEFT:
        place = data / "cutout_cdn" / "2026dgt" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"Bud1")
    (data / "sed_output" / "2026dgt_global.h5~").write_bytes(b"x")


def test_they_are_ignored_and_counted(recorded):
    repo, folder = recorded
    litter(folder / "data")
    result = repo.record("2026dgt", folder / "export.json", folder / "data")
    assert result.status == "unchanged"
    assert result.files == []
    assert len(result.ignored) == len(LEFT) + 1
    assert "cutout_cdn/2026dgt/.DS_Store" in result.to_json()["ignored"]


def test_they_do_not_refuse_a_first_revision(recorded, tmp_path):
    repo, folder = recorded
    litter(folder / "data")
    other = DataRepo.init(tmp_path / "other.git", simulated=True)
    assert other.record("2026dgt", folder / "export.json", folder / "data").status == "recorded"
    got = [each.get("2026dgt@0", tmp_path / str(number)).written for number, each in enumerate((repo, other))]
    assert got[0] == got[1]


def test_what_the_export_names_is_taken_whatever_it_is_called(tmp_path):
    place = tmp_path / "cutout_cdn" / "2026dgt" / "DES"
    place.mkdir(parents=True)
    for name in ("DES_z.fits~", "DES_g.fits~"):
        (place / name).write_bytes(b"x")
    document = {
        "cutouts": [{"fields": {"name": "z", "fits": "/data/cutout_cdn/2026dgt/DES/DES_z.fits~"}}],
        "apertures": [],
    }
    found = gather(tmp_path, "2026dgt", document)
    assert list(found) == ["cutout_cdn/DES/DES_z.fits~"]
    assert found.ignored == ("cutout_cdn/2026dgt/DES/DES_g.fits~",)


def test_in_an_archive(recorded, tmp_path):
    repo = recorded[0]
    small("2026dgt").archive(tmp_path / "sound.tar.gz")
    with tarfile.open(tmp_path / "sound.tar.gz") as archive:
        archive.extractall(tmp_path / "x", filter="data")
    (tmp_path / "x" / "._transient.json").write_bytes(b"Mac OS X")
    (tmp_path / "x" / "cutouts" / ".DS_Store").write_bytes(b"Bud1")
    with tarfile.open(tmp_path / "mac.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "x", ".")
    result = repo.record_archive(tmp_path / "mac.tar.gz")
    assert (result.status, len(result.ignored)) == ("unchanged", 2)


def test_a_revision_that_has_one_from_earlier_is_not_left_behind_by_it(recorded, monkeypatch):
    repo, folder = recorded
    odd = folder / "data" / "cutout_cdn" / "2026dgt" / "DES" / ".DS_Store"
    odd.write_bytes(b"Bud1")
    with monkeypatch.context() as patch:
        patch.setattr("blastgit.recording.sources.is_leftover", lambda path: False)
        assert repo.record("2026dgt", folder / "export.json", folder / "data").revision == 1
    assert repo.record("2026dgt", folder / "export.json", folder / "data").status == "unchanged"
    odd.unlink()
    assert repo.record("2026dgt", folder / "export.json", folder / "data").status == "unchanged"
