"""References are recorded by hand as separate lines, which every verb reads like those of transients."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.errors import Denied, InvalidFiles, InvalidInput, InvalidName, NotFound, UsageError
from blastgit.plumbing.process import run_git
from tests.settings import add_settings

MODEL = "r/model/sbi-global"


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A file that stands for a trained network."""
    file = tmp_path / "sbi.pt"
    file.write_bytes(b"weights " * 500)
    return file


@pytest.fixture
def shelf(repo: Path, network: Path) -> DataRepo:
    """A repo with two revisions of a model."""
    opened = DataRepo(repo)
    opened.references.record(MODEL, files=[network], values={"architecture": "MAF", "seed": 3}, app_version="v1.0")
    opened.references.record(MODEL, changed={"architecture": "NSF"})
    return opened


def test_what_is_not_handed_in_stays(shelf, network):
    first, second = shelf.show(f"{MODEL}@0"), shelf.show(f"{MODEL}@1")
    assert first.value["reference"]["fields"] == {"architecture": "MAF", "seed": 3}
    assert second.value["reference"]["fields"] == {"architecture": "NSF", "seed": 3}
    assert first.value["files"] == second.value["files"] != {}
    network.write_bytes(b"other weights")
    third = shelf.references.record(MODEL, files=[network])
    assert third.revision == 2
    assert shelf.show(f"{MODEL}@2").value["reference"]["fields"] == {"architecture": "NSF", "seed": 3}


def test_equal_values_make_no_revision(shelf, network):
    again = shelf.references.record(MODEL, files=[network], values={"seed": 3, "architecture": "NSF", "none": None})
    assert (again.status, again.revision) == ("unchanged", 1)
    wobble = shelf.references.record(MODEL, changed={"seed": 3.0000000000000004})
    assert wobble.status == "unchanged"


def test_a_reference_has_no_plan(shelf):
    with pytest.raises(InvalidInput, match=f"{MODEL}@1 is a reference"):
        shelf.plan(MODEL)
    left = shelf.plan_all([MODEL]).left_out
    assert "is a reference" in left[f"{MODEL}@1"]


def test_a_reference_is_not_exported_for_blast(shelf, tmp_path):
    archive = tmp_path / "model.tar.gz"
    with pytest.raises(UsageError, match=f"{MODEL}@1 is a reference"):
        shelf.export(MODEL, archive)
    assert not archive.exists()


def test_reading_verbs_take_a_reference(shelf, tmp_path, network):
    assert [entry.revision.number for entry in shelf.log(MODEL)] == [1, 0]
    assert "reference.architecture changed from 'MAF' to 'NSF'" in shelf.log(MODEL)[0].revision.reason
    assert [change.path for change in shelf.diff(f"{MODEL}@0", f"{MODEL}@1").fields] == ["reference.architecture"]
    assert shelf.show(f"{MODEL}:reference.seed").value == 3
    shelf.get(f"{MODEL}@0", tmp_path / "out")
    assert (tmp_path / "out" / "files" / "sbi.pt").read_bytes() == network.read_bytes()
    assert [each.name for each in shelf.list("r/*")] == [MODEL] == shelf.references.lines("model")
    assert shelf.list() == []
    assert shelf.verify().problems == []
    assert shelf.verify(MODEL).problems == []


@pytest.mark.slow
def test_plain_git_and_dvc_bring_it(shelf, tmp_path, network, run):
    clone = tmp_path / "clone"
    run_git(None, "clone", "--quiet", "--branch", f"{MODEL}/1", "--single-branch", str(shelf.path), str(clone))
    run("dvc", "pull", "-q", cwd=clone)
    assert (clone / "files" / "sbi.pt").read_bytes() == network.read_bytes()
    assert (clone / "sbi-global.json").is_file()
    assert run("git", "status", "--porcelain", cwd=clone) == ""


def test_a_date_says_as_of_when_it_holds(repo, network):
    opened = DataRepo(repo)
    opened.references.record(MODEL, files=[network], time=datetime(2024, 5, 1, tzinfo=UTC))
    opened.references.record(MODEL, changed={"seed": 4}, time=datetime(2025, 5, 1, tzinfo=UTC))
    assert opened.show(f"{MODEL}@2024-12-31").revision == f"{MODEL}@0"
    with pytest.raises(NotFound, match="had no revision yet"):
        opened.show(f"{MODEL}@2023-12-31")


@pytest.mark.parametrize(
    ("line", "what", "error", "why"),
    [
        ("r/modle/x", {"values": {"a": 1}}, InvalidName, "did you mean model"),
        ("r/model/x", {}, InvalidInput, "nothing was given"),
        ("r/model/x", {"values": {}, "files": [Path("/nowhere/x")]}, InvalidFiles, "there is no file"),
        ("r/model/x", {"data": Path("/nowhere")}, InvalidFiles, "there is no folder"),
        ("2026dgt", {"values": {"a": 1}}, InvalidName, "is not a reference"),
        ("u/me/2026dgt", {"values": {"a": 1}}, InvalidName, "is not a reference"),
    ],
)
def test_bad_input_changes_nothing(repo, line, what, error, why):
    before = run_git(repo, "for-each-ref")
    with pytest.raises(error, match=why):
        DataRepo(repo).references.record(line, **what)
    assert run_git(repo, "for-each-ref") == before


def test_files_of_one_name_are_refused(repo, network, tmp_path):
    twin = tmp_path / "other" / network.name
    twin.parent.mkdir()
    twin.write_bytes(b"x")
    with pytest.raises(InvalidFiles, match="would both become files/sbi"):
        DataRepo(repo).references.record(MODEL, files=[network, twin])


def test_a_name_that_differs_only_in_case_is_refused(shelf, network):
    with pytest.raises(InvalidName, match="differs only in case from 'r/model/sbi-global'"):
        shelf.references.record("r/model/SBI-global", files=[network])
    run_git(shelf.path, "pack-refs", "--all")
    with pytest.raises(InvalidName, match="differs only in case from 'r/model/sbi-global'"):
        DataRepo(shelf.path).references.record("r/model/SBI-global", files=[network])


def test_a_repo_has_types_of_its_own(repo, network):
    add_settings(repo, "references: {dust-map: {about: where the dust is}, model: null}")
    opened = DataRepo(repo)
    assert opened.references.record("r/dust-map/sfd", files=[network]).tag == "r/dust-map/sfd/0"
    with pytest.raises(InvalidName, match="does not have the reference type"):
        opened.references.record(MODEL, files=[network])


def test_a_reviewed_type_is_begun_by_a_curator(repo, network):
    add_settings(repo, 'policy: {roles: {admin: [boss], writer: ["*"]}}')
    opened = DataRepo(repo)
    with pytest.raises(Denied, match="curator"):
        opened.references.record("r/skymap/rings-v1", files=[network])
    assert opened.references.record("r/catalogue/gaia", files=[network]).revision == 0


def test_the_command_line(repo, network, monkeypatch, capsys):
    monkeypatch.setenv("BLASTGIT_REPO", str(repo))
    assert main(["record", MODEL, "--file", str(network), "--set", "seed=3", "--set", "kind=MAF"]) == 0
    assert "recorded as revision 0 (r/model/sbi-global/0): first revision, 1 file" in capsys.readouterr().out
    assert main(["list", "--type", "model"]) == 0
    assert MODEL in capsys.readouterr().out
    assert main(["record", MODEL, "--set", "seed=null"]) == 0
    assert "reference.seed changed from 3 to nothing" in capsys.readouterr().out
    assert main(["show", f"{MODEL}:reference"]) == 0
    assert "seed" not in capsys.readouterr().out
    assert main(["record", MODEL, "--export", "x", "--file", str(network)]) == 2
    assert main(["record", "2026dgt", "--file", str(network)]) == 2
    assert main(["list", "--type", "modle"]) == 2
