"""A separate repo from a collection of any type or from personal lines: sound, annotated, usable with plain tools."""

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.demo import small
from blastgit.errors import NotFound

pytestmark = pytest.mark.slow

DES_Z = "cutout_cdn/DES/DES_z.fits"


@pytest.fixture
def grouped(own, record, me):
    """A repo with collections of all four types, and remarks."""
    record(own, small("2026abc", seed=5), run="night-1")
    repo = DataRepo(own)
    made = repo.collections
    made.create("sample/v1", "TAGGED", "for a paper")
    made.add("sample/v1", ["2026dgt@0", "2026abc@0"], "these")
    made.create("calib/DM-1", "CALIBRATION", "by time")
    made.certify("calib/DM-1", [f"2026dgt@1:{DES_Z}"], "good", "2026-01-01T00:00:00Z", None)
    made.create("night-1", "RUN", "as it was recorded")
    made.chain("sample", ["sample/v1"], "the one to use")
    made.create(f"u/{me}/mine", "TAGGED", "mine")
    made.add(f"u/{me}/mine", [f"u/{me}/2026dgt@1"], "my fit")
    for subject, text in (("2026abc@0", "nice"), ("collection:sample", "cite this"), ("2026dgt@1", "not asked for")):
        assert main(["-C", str(own), "annotate", subject, "-m", text]) == 0
    return own


@pytest.mark.parametrize(
    ("collection", "revisions"),
    [
        ("sample", ["2026abc@0", "2026dgt@0"]), ("sample/v1", ["2026abc@0", "2026dgt@0"]),
        ("calib/DM-1", ["2026dgt@1"]), ("night-1", ["2026abc@0"]),
    ],
)  # fmt: skip
def test_of_each_type(grouped, tmp_path, collection, revisions):
    made = DataRepo(grouped).subset(tmp_path / "part", collection)
    assert made.revisions == revisions
    part = DataRepo(tmp_path / "part")
    assert part.verify().problems == []
    assert [str(each.dataset.revision) for each in part.collections.members(collection)] == revisions
    for each in revisions:
        assert part.show(f"{each}:transient.name").value == each.partition("@")[0]


def test_it_works_with_git_and_dvc_when_the_source_is_gone(grouped, tmp_path, run, capsys):
    assert main(["-C", str(grouped), "subset", str(tmp_path / "part"), "--from", "sample", "--only", "*.fits"]) == 0
    grouped.rename(tmp_path / "away")
    part = DataRepo(tmp_path / "part")
    assert part.verify().problems == []
    run("git", "-C", tmp_path / "part", "fsck", "--strict")
    run("git", "clone", "--quiet", "--branch", "2026dgt/0", "--single-branch", tmp_path / "part", tmp_path / "clone")
    run("dvc", "remote", "modify", "--local", "store", "url", part.store_url, cwd=tmp_path / "clone")
    run("dvc", "pull", "--quiet", DES_Z, cwd=tmp_path / "clone")
    assert (tmp_path / "clone" / DES_Z).stat().st_size
    assert run("git", "-C", tmp_path / "clone", "status", "--porcelain") == ""


def test_remarks_come_along(grouped, tmp_path, capsys):
    DataRepo(grouped).subset(tmp_path / "part", "sample")
    capsys.readouterr()
    for subject, text in (("2026abc@0", "nice"), ("collection:sample", "cite this")):
        main(["-C", str(tmp_path / "part"), "notes", subject])
        assert text in capsys.readouterr().out
    main(["-C", str(tmp_path / "part"), "notes", "2026dgt@0"])
    assert "not asked for" not in capsys.readouterr().out


def test_ones_own_line_comes_with_what_it_forks_from(grouped, tmp_path, me, run):
    made = DataRepo(grouped).subset(tmp_path / "part", f"u/{me}/mine")
    assert made.revisions == [f"u/{me}/2026dgt@1"]
    part = DataRepo(tmp_path / "part")
    assert part.verify().problems == []
    assert [str(each.revision) for each in part.log("2026dgt")] == ["2026dgt@1", "2026dgt@0"]
    got = part.get(f"u/{me}/2026dgt@1", tmp_path / "got")
    assert DES_Z in got.written
    url = tmp_path / "part"
    run("git", "clone", "--quiet", "--branch", f"u/{me}/2026dgt/1", "--single-branch", url, tmp_path / "clone")
    run("dvc", "remote", "modify", "--local", "store", "url", part.store_url, cwd=tmp_path / "clone")
    run("dvc", "pull", "--quiet", cwd=tmp_path / "clone")
    assert (tmp_path / "clone" / DES_Z).read_bytes() == (tmp_path / "got" / DES_Z).read_bytes()


def test_collections_that_give_nothing(grouped, tmp_path):
    repo = DataRepo(grouped)
    with pytest.raises(NotFound, match="no collection"):
        repo.subset(tmp_path / "part", "sample/v9")
    repo.collections.create("sample/v2", "TAGGED", "empty")
    with pytest.raises(NotFound, match="nothing in the subset"):
        repo.subset(tmp_path / "part", "sample/v2")
    assert not (tmp_path / "part").exists()
