"""Withdrawing an attachment: its content leaves the store, and everything reports it as withdrawn, not as missing."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.annotations.attachment_store import SMALL
from blastgit.cli.main import main
from blastgit.errors import Denied, InvalidInput, NotFound, Withdrawn
from blastgit.plumbing.process import run_git
from blastgit.store.local import LocalStore

REASON = "Shows another person's unpublished data"


@pytest.fixture
def cube(tmp_path: Path) -> Path:
    """A file that goes into the store."""
    (tmp_path / "cube.fits").write_bytes(bytes(range(256)) * (SMALL // 256 + 1))
    return tmp_path / "cube.fits"


@pytest.fixture
def attached(history: Path, cube: Path) -> str:
    """The id by which `cube` is attached to 2026dgt@1."""
    return DataRepo(history).attachments.add("2026dgt@1", cube, type="cube").ids[0]


def test_its_content_goes_and_the_remark_stays(history, attached, cube, capsys):
    repo = DataRepo(history)
    done = repo.withdraw(f"attachment:{attached}", REASON, now=True)
    assert (done.revision, done.paths, done.kept, len(done.removed)) == ("2026dgt@1", ["cube.fits"], [], 1)
    assert LocalStore(history / "dvc").missing(done.removed) == set(done.removed)
    [left] = repo.attachments.list("2026dgt@1")
    assert REASON in left.withdrawn
    assert left.to_json()["withdrawn"] == left.withdrawn
    with pytest.raises(Withdrawn, match=REASON):
        repo.attachments.read(left)
    with pytest.raises(Withdrawn, match=REASON):
        repo.attachments.add("2026dgt@0", cube)
    assert main(["-C", str(history), "attach"]) == 0
    assert "cube.fits (withdrawn)" in capsys.readouterr().out
    again = repo.withdraw(f"attachment:{attached}", REASON)
    assert (again.paths, again.removed) == ([], [])


def test_care_knows_that_it_is_no_loss(history, attached):
    repo = DataRepo(history)
    repo.withdraw(f"attachment:{attached}", REASON)
    report = repo.verify()
    assert report.problems == []
    [(where, words)] = report.withdrawn.items()
    assert where.startswith("annotations:attachment/")
    assert REASON in words
    assert repo.gc(delete=True, grace=timedelta(0)).set_aside == []
    assert repo.verify().problems == []


def test_it_travels_as_withdrawn(history, attached, tmp_path):
    repo = DataRepo(history)
    repo.withdraw(f"attachment:{attached}", REASON)
    repo.subset(tmp_path / "part", ["2026dgt@1"])
    part = DataRepo(tmp_path / "part")
    assert [REASON in each.withdrawn for each in part.attachments.list("2026dgt@1")] == [True]
    assert part.verify().problems == []
    [row] = map(json.loads, repo.annotations.export().splitlines())
    assert "data" not in row["attachment"]


def test_a_content_that_a_revision_has_stays(history, tmp_path, monkeypatch):
    monkeypatch.setattr("blastgit.annotations.attachment_store.SMALL", 100)
    repo = DataRepo(history)
    image = "cutout_cdn/DES/DES_z.fits"
    repo.get("2026dgt@1", tmp_path / "got", only=image)
    name = repo.attachments.add("2026dgt@0", tmp_path / "got" / image).ids[0]
    done = repo.withdraw(f"attachment:{name}", REASON)
    assert (done.removed, done.kept) == ([], ["DES_z.fits"])
    assert repo.verify().problems == []


def test_what_lies_in_git_cannot_go(history, tmp_path, capsys):
    (tmp_path / "plot.png").write_bytes(b"\x89PNG")
    name = DataRepo(history).attachments.add("2026dgt@1", tmp_path / "plot.png").ids[0]
    before = run_git(history, "rev-parse", "main")
    with pytest.raises(InvalidInput, match=f"lies in git itself.*--retract {name}"):
        DataRepo(history).withdraw(f"attachment:{name}", REASON)
    for wrong, error in (("attachment:nothing", NotFound), ("attachment:", NotFound)):
        assert main(["-C", str(history), "withdraw", wrong, "--reason", REASON]) == error.exit_code
    with pytest.raises(InvalidInput, match="one line"):
        DataRepo(history).withdraw(f"attachment:{name}", "two\nlines")
    assert run_git(history, "rev-parse", "main") == before
    assert "`blastgit attach` lists them" in capsys.readouterr().err


def test_it_takes_an_admin_also_by_push(history, attached, tmp_path, monkeypatch):
    repo = DataRepo(history)
    repo.withdraw(f"attachment:{attached}", REASON)
    clone = tmp_path / "clone"
    run_git(None, "clone", "--quiet", str(history), str(clone))
    text = (clone / "blastgit.yaml").read_text() + "policy: {roles: {admin: [alice], curator: [bob]}}\n"
    (clone / "blastgit.yaml").write_text(text)
    [stone] = (clone / "withdrawn/attachment").glob("*/*.yaml")
    stone.write_text(stone.read_text().replace(REASON, "Said better"))
    git = ("-C", str(clone), "-c", "user.name=x", "-c", "user.email=x@example.org")
    run_git(None, *git, "commit", "--quiet", "-am", "Say it better")
    run_git(None, *git, "push", "--quiet", "origin", "main")
    monkeypatch.setenv("GL_USER", "bob")
    with pytest.raises(Denied, match="admin"):
        DataRepo(history).withdraw(f"attachment:{attached}", REASON)
