import hashlib
import os
import threading

import pytest

from blastgit import DataRepo
from blastgit.errors import DamagedData, InvalidName, NotFound, RepoError, StoreError, WouldOverwrite
from blastgit.naming.paths import dataset_path

IMAGE = "cutout_cdn/DES/DES_z.fits"


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def published(repo, sample, number, run):
    files = {dataset_path(path): content for path, content in sample.files.items()}
    return {**files, "2026dgt.json": run("git", "-C", repo, "show", f"2026dgt/{number}:2026dgt.json").encode()}


def damage(repo, content):
    name = hashlib.md5(content).hexdigest()
    path = repo / "dvc/files/md5" / name[:2] / name[2:]
    path.chmod(0o644)
    path.write_bytes(b"X" + content[1:])
    return path


def test_every_revision_comes_back_bit_for_bit(library, states, tmp_path, run):
    for number, state in ((0, states[0]), (1, states[2])):
        got = DataRepo(library).get(f"2026dgt@{number}", tmp_path / str(number))
        assert contents(tmp_path / str(number)) == published(library, state, number, run)
        assert sorted(got.written) == sorted(contents(tmp_path / str(number)))
        assert got.size == sum(map(len, contents(tmp_path / str(number)).values()))


def test_a_content_equal_file_has_the_bytes_that_were_published_first(library, states, tmp_path):
    DataRepo(library).get("2026dgt@0", tmp_path / "out", only="*_global.h5")
    path = "sed_output/2026dgt_global.h5"
    bytes_of = [state.files["sed_output/2026dgt/2026dgt_global.h5"] for state in states]
    assert bytes_of[0] != bytes_of[1]
    assert (tmp_path / "out" / path).read_bytes() == bytes_of[0]


def test_the_folder_is_called_after_the_revision(library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(DataRepo(library).get("2026dgt").folder) == "2026dgt@1"
    assert (tmp_path / "2026dgt@1" / IMAGE).is_file()


@pytest.mark.parametrize(
    ("spec", "number"),
    [
        ("2026dgt", 1), ("2026dgt@latest", 1), ("2026dgt@0", 0), ("2026dgt/0", 0), ("2026dgt/1", 1),
        ("2026dgt@2026-05-27", 0),  # revision 0 was made at 15:46 of that day, and a day lasts to its end
        ("2026dgt@2026-06-02", 0), ("2026dgt@2026-06-03", 1), ("2030dgt@2026-06-03", None),
        ("2026dgt@2026-06-03T09:59:59", 0), ("2026dgt@2026-06-03T10:00:00Z", 1),
        ("2026dgt@2026-06-03T11:59:59+02:00", 0), ("2026dgt@2026-06-03T12:00:00+02:00", 1),
        ("2026dgt@2099-01-01", 1),
    ],
)  # fmt: skip
def test_the_revision_that_is_meant(library, tmp_path, spec, number):
    if number is None:
        with pytest.raises(NotFound, match=r"did you mean 2026dgt\?"):
            DataRepo(library).get(spec, tmp_path / "out")
    else:
        assert DataRepo(library).get(spec, tmp_path / "out", only="*.json").revision == f"2026dgt@{number}"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("2026dgt@7", "has no revision 7: it has revisions 0 to 1"),
        ("2026dgt/7", "has no revision 7"),
        ("2026dg", "did you mean 2026dgt?"),
        ("2026DGT", "did you mean 2026dgt?"),
        ("SN1987A", "`blastgit list` lists"),
        ("2026dgt@2026-05-26", "had no revision yet then: revision 0 is of 2026-05-27 15:46 UTC"),
    ],
)
def test_an_unknown_revision_is_answered_with_the_nearest(library, tmp_path, spec, words):
    with pytest.raises(NotFound) as caught:
        DataRepo(library).get(spec, tmp_path / "out")
    assert words in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("spec", ["2026dgt@2026-13-01", "2026dgt@01", "2026dgt@x", "../x@0", "main", ""])
def test_what_cannot_name_a_revision(library, tmp_path, spec):
    with pytest.raises(InvalidName):
        DataRepo(library).get(spec, tmp_path / "out")


@pytest.mark.parametrize(
    ("only", "count"),
    [
        ("*.json", 1), (IMAGE, 1), ("DES_z.fits", 1), ("DES_?.fits", 2), ("cutout_cdn/DES", 3), ("cutout_cdn/DES/", 3),
        ("*.npz", 6), ("sed_output", 10), ("*", 16),
    ],
)  # fmt: skip
def test_only_some_files(library, tmp_path, only, count):
    got = DataRepo(library).get("2026dgt", tmp_path / "out", only=only)
    assert len(got.written) == len(contents(tmp_path / "out")) == count


def test_a_path_in_the_name_means_that_file(library, tmp_path):
    DataRepo(library).get(f"2026dgt@0:{IMAGE}", tmp_path / "out")
    assert list(contents(tmp_path / "out")) == [IMAGE]


def test_no_file_of_that_name(library, tmp_path):
    with pytest.raises(NotFound, match=r"no file that matches 'DES_x\.fits'"):
        DataRepo(library).get("2026dgt", tmp_path / "out", only="DES_x.fits")
    assert not (tmp_path / "out").exists()


def test_it_resumes_and_leaves_what_is_right(library, states, tmp_path, run):
    out = tmp_path / "out"
    DataRepo(library).get("2026dgt@0", out, only="sed_output")
    old = {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}
    (out / "cutout_cdn/DES").mkdir(parents=True)
    (out / f"{IMAGE}.blastgit-part").write_bytes(b"what a killed process left" * 1000)
    got = DataRepo(library).get("2026dgt@0", out)
    assert len(got.kept) == 10
    assert contents(out) == published(library, states[0], 0, run)
    assert old == {path: path.stat().st_mtime_ns for path in out.rglob("*.npz")}
    assert DataRepo(library).get("2026dgt@0", out).written == []


def test_a_file_that_differs_is_not_overwritten_and_nothing_is_written(library, tmp_path):
    out = tmp_path / "out"
    (out / "cutout_cdn/DES").mkdir(parents=True)
    (out / IMAGE).write_bytes(b"mine")
    with pytest.raises(WouldOverwrite, match=r"DES_z\.fits would be overwritten"):
        DataRepo(library).get("2026dgt@0", out)
    assert contents(out) == {IMAGE: b"mine"}


def test_another_revision_in_the_same_folder_is_refused_unless_forced(library, states, tmp_path, run):
    out = tmp_path / "out"
    DataRepo(library).get("2026dgt@0", out)
    with pytest.raises(WouldOverwrite, match=r"and \d+ more"):
        DataRepo(library).get("2026dgt@1", out)
    assert contents(out) == published(library, states[0], 0, run)
    assert IMAGE in DataRepo(library).get("2026dgt@1", out, force=True).written
    assert contents(out) == published(library, states[2], 1, run)


@pytest.mark.parametrize("in_the_way", ["out", "out/cutout_cdn"])
def test_a_file_where_a_folder_should_be(library, tmp_path, in_the_way):
    (tmp_path / in_the_way).parent.mkdir(exist_ok=True)
    (tmp_path / in_the_way).write_bytes(b"mine")
    for force in (False, True):
        with pytest.raises(WouldOverwrite, match="in the way"):
            DataRepo(library).get("2026dgt@0", tmp_path / "out", force=force)
    assert (tmp_path / in_the_way).read_bytes() == b"mine"


def test_a_damaged_content_never_gets_its_name(history, states, tmp_path):
    damage(history, states[0].files["cutout_cdn/2026dgt/DES/DES_z.fits"])
    with pytest.raises(DamagedData, match=r"DES_z\.fits of 2026dgt@0 is damaged"):
        DataRepo(history).get("2026dgt@0", tmp_path / "out")
    assert IMAGE not in contents(tmp_path / "out")
    assert not list(tmp_path.rglob("*.blastgit-part"))
    DataRepo(history).get("2026dgt@1", tmp_path / "other")  # what does not need it is served


def test_a_damaged_content_does_not_replace_a_good_file(history, states, tmp_path):
    out = tmp_path / "out"
    DataRepo(history).get("2026dgt@0", out)
    damage(history, states[2].files["cutout_cdn/2026dgt/DES/DES_z.fits"])
    with pytest.raises(DamagedData):
        DataRepo(history).get("2026dgt@1", out, force=True)
    assert (out / IMAGE).read_bytes() == states[0].files["cutout_cdn/2026dgt/DES/DES_z.fits"]


def test_a_content_that_the_store_lacks(history, states, tmp_path):
    damage(history, states[0].files["cutout_cdn/2026dgt/DES/DES_z.fits"]).unlink()
    with pytest.raises(DamagedData, match=r"lacks the content"):
        DataRepo(history).get("2026dgt@0", tmp_path / "out")


def test_a_destination_that_cannot_be_written(library):
    with pytest.raises(RepoError, match="cannot be written"):
        DataRepo(library).get("2026dgt@0", "/proc/self/out")


def test_a_disk_that_gets_full_leaves_no_truncated_file(library, states, small_disk, tmp_path, run):
    with (small_disk / "ballast").open("wb", buffering=0) as ballast:
        room = os.statvfs(small_disk).f_bavail * 4096
        ballast.write(bytes(room - 3 * 4096))
    with pytest.raises((RepoError, StoreError), match="No space left"):
        DataRepo(library).get("2026dgt@0", small_disk / "out")
    right = published(library, states[0], 0, run)
    written = contents(small_disk / "out")
    assert {path: written[path] == right[path] for path in written} == dict.fromkeys(written, True)


def test_several_may_get_into_one_folder(library, states, tmp_path, run):
    failures = []

    def get():
        try:
            DataRepo(library).get("2026dgt@0", tmp_path / "out")
        except Exception as error:  # noqa: BLE001 (all of them are looked at below)
            failures.append(error)

    threads = [threading.Thread(target=get) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert contents(tmp_path / "out") == published(library, states[0], 0, run)


def test_progress_ends_with_everything(library, tmp_path):
    reports = []
    repo = DataRepo(library, progress=lambda what, done, total: reports.append((what, done, total)))
    got = repo.get("2026dgt@0", tmp_path / "out")
    assert reports[-1] == ("getting", got.size, got.size)


def test_a_repo_elsewhere_is_read_by_its_url(library, states, tmp_path, run):
    DataRepo(f"file://elsewhere{library}").get("2026dgt@0", tmp_path / "out")
    assert contents(tmp_path / "out") == published(library, states[0], 0, run)


def test_nothing_is_written_through_a_link(library, tmp_path):
    target, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    target.mkdir()
    elsewhere.mkdir()
    (target / "cutout_cdn").symlink_to(elsewhere)
    for force in (False, True):
        with pytest.raises(WouldOverwrite, match=r"is a link, and .* would be written elsewhere through it"):
            DataRepo(library).get("2026dgt@0", target, force=force)
    assert not list(elsewhere.iterdir())
    (target / "cutout_cdn").unlink()
    (target / "2026dgt.json.part").symlink_to(elsewhere / "x")
    (tmp_path / "link").symlink_to(target)
    DataRepo(library).get("2026dgt@0", tmp_path / "link")  # the folder itself is the user's choice
    assert (target / "cutout_cdn").is_dir()
