import gzip
import io
import tarfile

import pytest

from blastgit import DataRepo
from blastgit.errors import InvalidExport, InvalidFiles, InvalidInput


def member(name, content=b"x", **changes):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, content


def pack(path, *members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return path


def unpacked(sample, tmp_path):
    with tarfile.open(sample.archive(tmp_path / "whole.tar.gz")) as archive:
        return [member(info.name, archive.extractfile(info).read()) for info in archive]


def refused(repo, archive, error, words, tree_of):
    before = tree_of(repo)
    with pytest.raises(error, match=words):
        DataRepo(repo).record_archive(archive)
    assert tree_of(repo) == before


def test_an_archive_gives_what_the_folder_gave(history, states, tmp_path):
    result = DataRepo(history).record_archive(states[2].archive(tmp_path / "a.tar.gz"))
    assert (result.status, result.tag, result.files) == ("unchanged", "2026dgt/1", [])


def test_a_first_revision_from_an_archive(repo, states, tmp_path, record):
    path = states[0].archive(tmp_path / "a.tar.gz")
    with tarfile.open(path) as archive:
        names = archive.getnames()
    assert len(names) > len(set(names))  # as in real ones, npz members are there twice
    result = DataRepo(repo).record_archive(path, run="night-1")
    assert (result.status, result.revision, len(result.files)) == ("recorded", 0, len(states[0].files))
    assert record(repo, states[0]).status == "unchanged"


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_however_it_is_packed(repo, sample, tmp_path, mode):
    path = pack(tmp_path / "a.tar", *unpacked(sample, tmp_path), mode=mode)
    assert DataRepo(repo).record_archive(path, dry_run=True).status == "recorded"


def test_folders_and_leading_dots_are_fine(repo, sample, tmp_path):
    dotted = [member(f"./{info.name}", content) for info, content in unpacked(sample, tmp_path)]
    path = pack(tmp_path / "a.tar.gz", member("./cutouts", b"", type=tarfile.DIRTYPE), *dotted)
    assert DataRepo(repo).record_archive(path, dry_run=True).status == "recorded"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (member("cutouts/DES/x.fits", b"", type=tarfile.CHRTYPE), "link or a device"),
        (member("cutouts/DES/x.fits", b"", type=tarfile.BLKTYPE), "link or a device"),
        (member("cutouts/DES/x.fits", b"", type=tarfile.FIFOTYPE), "link or a device"),
        (member("cutouts/DES/x.fits", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "link or a device"),
        (member("cutouts/DES/x.fits", b"", type=tarfile.LNKTYPE, linkname="transient.json"), "link or a device"),
        (member("cutouts/../../x.fits"), "not a plain relative path"),
        (member("../cutouts/x.fits"), "neither transient.json nor below"),
        (member("/cutouts/x.fits"), "neither transient.json nor below"),
        (member("cutouts//x.fits"), "not a plain relative path"),
        (member("cutouts/.git/hooks"), "git or DVC reserve"),
        (member("cutouts/DES/DES_z.fits.dvc"), "git or DVC reserve"),
        (member("cutouts/DES/des_z.fits"), "differ only in case"),
        (member("cutouts/DES"), "is below a path that is itself a file"),
        (member("secrets/x.fits"), "neither transient.json nor below"),
        (member("x.fits"), "neither transient.json nor below"),
        (member("cutouts/DES/DES_z.fits", b"other"), "twice, with different content"),
        (member("transient.json", b"{}"), "twice"),
    ],
)
def test_members_that_blast_would_not_write(repo, sample, tmp_path, tree_of, bad, words):
    path = pack(tmp_path / "a.tar.gz", *unpacked(sample, tmp_path), bad)
    refused(repo, path, InvalidFiles, words, tree_of)


def test_an_archive_that_lacks_a_file_the_export_names(repo, sample, tmp_path, tree_of):
    left = [each for each in unpacked(sample, tmp_path) if not each[0].name.endswith("DES_z.fits")]
    refused(repo, pack(tmp_path / "a.tar.gz", *left), InvalidFiles, r"DES_z\.fits, which the archive lacks", tree_of)


def test_an_archive_without_its_document(repo, tmp_path, tree_of):
    path = pack(tmp_path / "a.tar.gz", member("cutouts/DES/DES_z.fits"))
    refused(repo, path, InvalidInput, r"has no transient\.json", tree_of)


def test_a_document_that_is_no_export(repo, tmp_path, tree_of):
    refused(
        repo,
        pack(tmp_path / "a.tar.gz", member("transient.json", b"[]")),
        InvalidExport,
        "should be a JSON object",
        tree_of,
    )


def test_no_archive_at_all(repo, tmp_path, tree_of):
    refused(repo, tmp_path / "none.tar.gz", InvalidInput, "there is no archive", tree_of)
    (tmp_path / "bad.tar.gz").write_bytes(b"not a tar file")
    refused(repo, tmp_path / "bad.tar.gz", InvalidInput, "not a readable tar archive: [^\n]+$", tree_of)
    refused(repo, tmp_path, InvalidInput, "not a readable tar archive", tree_of)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_truncated_archive(repo, sample, tmp_path, tree_of, part):
    whole = sample.archive(tmp_path / "whole.tar.gz").read_bytes()
    (tmp_path / "a.tar.gz").write_bytes(whole[: int(part * len(whole))])
    refused(repo, tmp_path / "a.tar.gz", InvalidInput, "not a readable tar archive", tree_of)


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_an_archive_with_rotten_bytes(repo, sample, tmp_path, tree_of, mode):
    data = bytearray(pack(tmp_path / "a.tar", *unpacked(sample, tmp_path), mode=mode).read_bytes())
    for at in range(len(data) // 2, len(data) // 2 + 64):
        data[at] ^= 0xFF
    (tmp_path / "a.tar").write_bytes(data)
    refused(repo, tmp_path / "a.tar", InvalidInput, "not a readable tar archive|the archive is damaged", tree_of)


def test_a_damaged_header_is_not_taken_for_the_end(repo, sample, tmp_path, tree_of):
    path = pack(tmp_path / "a.tar", *unpacked(sample, tmp_path), member("cutouts/DES/last.jpg"), mode="w")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"last.jpg", b"\xff\xff\xff\xff.jpg"))
    refused(repo, path, InvalidFiles, "the archive is damaged", tree_of)


def test_a_bomb(repo, sample, tmp_path, tree_of, monkeypatch):
    monkeypatch.setattr("blastgit.recording.archive._LIMIT", 1_000_000)
    bomb = member("cutouts/DES/zeros.fits", bytes(2_000_000))
    path = pack(tmp_path / "a.tar.gz", bomb, *unpacked(sample, tmp_path))
    assert path.stat().st_size < 200_000
    refused(repo, path, InvalidFiles, "more than 1,000,000 bytes", tree_of)


def test_too_many_members(repo, sample, tmp_path, tree_of, monkeypatch):
    monkeypatch.setattr("blastgit.recording.archive._MEMBERS", 10)
    refused(repo, sample.archive(tmp_path / "a.tar.gz"), InvalidFiles, "more than 10 members", tree_of)


def test_a_header_that_would_fill_the_memory(repo, tmp_path, tree_of, monkeypatch):
    """Tarfile reads a member's extended header whole, before anybody could ask for its size."""
    monkeypatch.setattr("blastgit.recording.archive._LIMIT", 1_000_000)
    info, content = member("header", bytes(3_000_000), type=tarfile.XHDTYPE)
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(info.tobuf() + content + bytes(1024)))
    refused(repo, path, InvalidInput, "more than", tree_of)


def test_no_temporary_folder_stays(repo, sample, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    DataRepo(repo).record_archive(sample.archive(tmp_path / "a.tar.gz"))
    assert list((tmp_path / "tmp").iterdir()) == []
