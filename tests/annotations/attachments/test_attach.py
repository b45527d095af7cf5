"""Attachments of revisions: storing, finding, copying and checking them, and that they are not published data."""

import os
import shutil
import subprocess
from pathlib import Path

import pygit2
import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.annotations.attachment_store import SMALL
from blastgit.cli.main import main
from blastgit.errors import DamagedData, InvalidInput, InvalidName, NotFound, StoreError
from blastgit.plumbing.process import git_environment

IMAGE = "cutout_cdn/DES/DES_g.fits"


@pytest.fixture
def plot(tmp_path: Path) -> Path:
    """A picture small enough for the branch."""
    (tmp_path / "residuals.png").write_bytes(b"\x89PNG\r\n")
    return tmp_path / "residuals.png"


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    """A file that goes into the store."""
    (tmp_path / "cube.fits").write_bytes(bytes(range(256)) * (SMALL // 256 + 1))
    return tmp_path / "cube.fits"


def names(repo: Path | str, *args: str, **options: object) -> list[str]:
    return [each.attachment.name for each in DataRepo(repo).attachments.list(*args, **options)]


def test_no_revision_is_made(history, plot, cube):
    repo = DataRepo(history)
    before = (
        [entry.revision.id for entry in repo.log("2026dgt")],
        pygit2.Repository(history).references["refs/heads/2026dgt"].target,
    )
    repo.attachments.add("2026dgt@1", plot, type="qa_plot", comment="after the fit")
    repo.attachments.add(f"2026dgt@1:{IMAGE}", cube, type="cube")
    after = (
        [entry.revision.id for entry in repo.log("2026dgt")],
        pygit2.Repository(history).references["refs/heads/2026dgt"].target,
    )
    assert after == before
    assert names(history, "2026dgt@1") == ["residuals.png", "cube.fits"]
    assert names(history, "2026dgt@1", "qa_*") == ["residuals.png"]
    assert sorted(names(history)) == ["cube.fits", "residuals.png"]
    [first] = repo.attachments.list("2026dgt@1", "qa_plot")
    assert first.attachment.mime == "image/png"
    assert first.to_json()["comment"] == "after the fit"


def test_bytes_come_back_from_branch_and_store(history, plot, cube):
    room = DataRepo(history).attachments
    for file in (plot, cube):
        room.add("2026dgt@0", file)
    assert [room.read(each) for each in room.list("2026dgt@0")] == [plot.read_bytes(), cube.read_bytes()]
    assert [each.attachment.stored for each in room.list("2026dgt@0")] == [False, True]


def test_the_same_again_adds_nothing(history, plot):
    room = DataRepo(history).attachments
    assert room.add("2026dgt@1", plot).subjects == 1
    assert room.add("2026dgt@1", plot).subjects == 0


def test_one_can_be_taken_back_and_commented_on(history, plot):
    repo = DataRepo(history)
    done = repo.attachments.add("2026dgt@1", plot)
    [there] = repo.attachments.list("2026dgt@1")
    repo.annotations.add([f"sha256:{there.attachment.sha256}"], AnnotationBody(flag="bad"))
    repo.annotations.add([], AnnotationBody(retract=True, supersedes=done.ids))
    assert names(history, "2026dgt@1") == []
    assert names(history, "2026dgt@1", history=True) == ["residuals.png"]


def test_gc_and_verify_know_what_the_store_holds(history, cube):
    repo = DataRepo(history)
    repo.attachments.add("2026dgt@1", cube)
    [there] = repo.attachments.list()
    from datetime import timedelta

    report = repo.gc(grace=timedelta(0))
    assert report.set_aside == []
    assert repo.verify().problems == []
    pointer = pygit2.Repository(history).revparse_single(f"annotations:{there.attachment.path}").data.decode()
    md5 = pointer.split("md5: ")[1].split()[0]
    content = history / "dvc/files/md5" / md5[:2] / md5[2:]
    content.chmod(0o644)
    content.write_bytes(b"x" * there.attachment.size)
    [problem] = repo.verify().problems
    assert problem.kind == "damaged"
    assert problem.where == f"annotations:{there.attachment.path}"
    with pytest.raises(DamagedData, match=r"attachment cube.fits is damaged"):
        repo.attachments.read(there)
    content.unlink()
    [problem] = repo.verify(fast=True).problems
    assert problem.kind == "missing"


def test_a_store_does_not_move_without_them(history, cube, tmp_path):
    shutil.copytree(history / "dvc", tmp_path / "new")
    repo = DataRepo(history)
    repo.attachments.add("2026dgt@1", cube)
    with pytest.raises(StoreError, match="lacks 1 of"):
        repo.stores.move(str(tmp_path / "new"))
    shutil.copytree(history / "dvc", tmp_path / "new", dirs_exist_ok=True)
    repo.stores.move(str(tmp_path / "new"))
    [there] = DataRepo(history).attachments.list()
    assert DataRepo(history).attachments.read(there) == cube.read_bytes()


def test_they_come_along_with_a_clone(history, plot, cube, tmp_path):
    for file in (plot, cube):
        DataRepo(history).attachments.add("2026dgt@1", file)
    subprocess.run(["git", "clone", "-q", "--mirror", history, tmp_path / "clone"], check=True, env=git_environment())
    room = DataRepo(tmp_path / "clone").attachments
    assert [room.read(each) for each in room.list("2026dgt@1")] == [plot.read_bytes(), cube.read_bytes()]


def test_they_come_along_with_a_subset(history, plot, cube, tmp_path):
    for file in (plot, cube):
        DataRepo(history).attachments.add("2026dgt@0", file)
    DataRepo(history).subset(tmp_path / "part", ["2026dgt@0"])
    os.rename(history / "dvc", history / "elsewhere")  # noqa: PTH104 (the subset must not need it)
    room = DataRepo(tmp_path / "part").attachments
    assert [room.read(each) for each in room.list("2026dgt@0")] == [plot.read_bytes(), cube.read_bytes()]
    assert DataRepo(tmp_path / "part").verify().problems == []


def test_they_come_along_as_json_lines(history, plot, cube, tmp_path, record, states):
    for file in (plot, cube):
        DataRepo(history).attachments.add("2026dgt@0", file, type="qa")
    DataRepo(history).metrics.put("2026dgt@0", {"rms": (0.5, "mag")})
    text = DataRepo(history).annotations.export()
    DataRepo.init(tmp_path / "other", simulated=True)
    record(tmp_path / "other", states[0])
    other = DataRepo(tmp_path / "other")
    assert other.annotations.take_in(text).subjects == 3
    assert [other.attachments.read(each) for each in other.attachments.list()] == [plot.read_bytes(), cube.read_bytes()]
    assert [str(each.metric) for each in other.metrics.list()] == ["rms = 0.5 mag"]
    assert other.annotations.take_in(text).subjects == 0
    table = DataRepo(history).annotations.export(form="ecsv")
    assert DataRepo(history).annotations.take_in(table).subjects == 0


def test_a_repo_elsewhere(history, plot, cube, tmp_path):
    room = DataRepo(f"file://{history}").attachments
    for file in (plot, cube):
        room.add("2026dgt@1", file, type="qa")
    assert [room.read(each) for each in room.list("2026dgt@1")] == [plot.read_bytes(), cube.read_bytes()]
    assert names(history, "2026dgt@1") == ["residuals.png", "cube.fits"]


@pytest.mark.parametrize(
    ("subject", "file", "options", "error", "words"),
    [
        ("2026dgt@7", "plot.png", {}, NotFound, "no revision 7"),
        ("2026dgt", "plot.png", {}, InvalidName, "cannot have attachments or metrics: write NAME@N"),
        ("2026dgt@1", "missing.png", {}, InvalidInput, "cannot be attached"),
        ("2026dgt@1", ".", {}, InvalidInput, "it is not a file"),
        ("2026dgt@1", "empty.png", {}, InvalidInput, "0 bytes"),
        ("2026dgt@1", "plot.png", {"type": "QA plot"}, InvalidInput, "not a type of an attachment"),
        ("2026dgt@1", "plot.png", {"mime": "picture"}, InvalidInput, "not a MIME type"),
    ],
)
def test_what_cannot_be_attached(history, tmp_path, subject, file, options, error, words):
    (tmp_path / "plot.png").write_bytes(b"x")
    (tmp_path / "empty.png").write_bytes(b"")
    with pytest.raises(error, match=words):
        DataRepo(history).attachments.add(subject, tmp_path / file, **options)
    assert "refs/heads/annotations" not in pygit2.Repository(history).references


def test_on_the_command_line(history, plot, cube, tmp_path, capsys):
    words = ["-C", str(history), "attach"]
    assert main([*words, "2026dgt@1", str(plot), "--type", "qa_plot"]) == 0
    contents = len(list((history / "dvc/files").rglob("*")))
    assert main([*words, "2026dgt@1", str(cube), "--dry-run"]) == 0
    assert len(list((history / "dvc/files").rglob("*"))) == contents
    capsys.readouterr()
    assert main([*words, "2026dgt@1"]) == 0
    assert "residuals.png  qa_plot" in capsys.readouterr().out
    assert main([*words, "2026dgt@1", "--save", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out/residuals.png").read_bytes() == plot.read_bytes()
    (tmp_path / "out/residuals.png").write_bytes(b"mine")
    assert main([*words, "2026dgt@1", "--save", str(tmp_path / "out")]) == 10
