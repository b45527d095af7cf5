"""A reader needs only git and DVC, not blastgit."""

import hashlib
import subprocess
import sys

import pytest

from blastgit import DataRepo
from blastgit.cli import main
from blastgit.recording import record as record_module
from blastgit.repository import skeleton

pytestmark = pytest.mark.slow

TAGS = ["2026dgt/0", "2026dgt/1"]
IMAGE = "cutout_cdn/DES/DES_z.fits"


@pytest.fixture
def full_clone(library, run, tmp_path):
    run("git", "clone", "-q", library, tmp_path / "clone")
    return tmp_path / "clone"


def wanted(sample):
    """The files of a sample by their path in a dataset."""
    return {path.replace("/2026dgt/", "/", 1): content for path, content in sample.files.items()}


def files_of(folder):
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {
        path: file for path, file in found.items() if not path.startswith((".git", ".dvc")) and path != "2026dgt.json"
    }


@pytest.mark.parametrize("number", [0, 1])
def test_a_clone_of_a_tag_and_a_pull_give_exactly_its_files(library, states, run, tmp_path, number):
    clone = tmp_path / "clone"
    run(
        "git",
        "clone",
        "-q",
        "--branch",
        TAGS[number],
        "--single-branch",
        "-c",
        "advice.detachedHead=false",
        library,
        clone,
    )
    run("dvc", "pull", "-q", cwd=clone)
    found = files_of(clone)
    sample = wanted(states[0] if number == 0 else states[2])
    assert {path: file.read_bytes() for path, file in found.items() if not path.endswith(".dvc")} == sample
    assert {path for path in found if path.endswith(".dvc")} == {f"{path}.dvc" for path in sample}
    assert run("git", "status", "--porcelain", cwd=clone) == ""
    assert "up to date" in run("dvc", "status", cwd=clone)
    assert run("dvc", "status", "--cloud", "-q", cwd=clone) == ""


FORMER_GITIGNORE = "/*/**\n!/*/**/\n!*.dvc\n"


@pytest.mark.parametrize("pattern", ["*_output/", "*", "cutout*", "*.dvc\n*.fits"])
def test_what_a_user_ignores_everywhere_is_pulled_nevertheless(library, states, run, tmp_path, hermetic, pattern):
    (hermetic / "ignore").write_text(f"{pattern}\n")
    run("git", "config", "--global", "core.excludesFile", hermetic / "ignore")
    run("git", "clone", "-q", "--branch", TAGS[0], "--single-branch", library, tmp_path / "clone")
    run("dvc", "pull", "-q", cwd=tmp_path / "clone")
    assert len(files_of(tmp_path / "clone")) == 2 * len(wanted(states[0]))
    assert run("git", "status", "--porcelain", cwd=tmp_path / "clone") == ""


def test_a_clone_of_an_old_tag_needs_to_be_set_up(library, states, run, tmp_path, hermetic):
    clone = tmp_path / "clone"
    (hermetic / "config/git").mkdir()
    (hermetic / "config/git/ignore").write_text("*_output/\n")
    run("git", "clone", "-q", "--branch", TAGS[0], "--single-branch", library, clone)
    (clone / ".gitignore").write_text(FORMER_GITIGNORE)
    run("git", "commit", "-q", "-a", "-m", "As it was", cwd=clone)
    run("dvc", "pull", "-q", cwd=clone)
    assert len(files_of(clone)) < 2 * len(wanted(states[0]))
    assert main(["setup", str(clone)]) == 0
    run("dvc", "pull", "-q", cwd=clone)
    assert len(files_of(clone)) == 2 * len(wanted(states[0]))


def test_a_revision_with_the_dot_files_of_its_time_is_sound(states, record, repo, run, monkeypatch):
    dot_files = skeleton.dot_files
    with monkeypatch.context() as patch:
        former = {".gitignore": FORMER_GITIGNORE.encode()}
        for module in (record_module, skeleton):
            patch.setattr(module, "dot_files", lambda config: {**dot_files(config), **former})
        record(repo, states[0])
    assert run("git", "--git-dir", repo, "show", "2026dgt/0:.gitignore") == FORMER_GITIGNORE
    assert DataRepo(repo).verify().problems == []
    assert record(repo, states[1]).status == "unchanged"
    assert record(repo, states[2]).revision == 1
    assert run("git", "--git-dir", repo, "show", "2026dgt/1:.gitignore") == "/*/**\n!/*/\n!/*/**/\n!*.dvc\n"
    assert DataRepo(repo).verify().problems == []


def test_git_tells_the_history_of_a_file(full_clone, run):
    log = run("git", "log", "--format=%s", "2026dgt/1", "--", f"{IMAGE}.dvc", cwd=full_clone).splitlines()
    assert [line.partition(":")[0] for line in log] == ["2026dgt revision 1", "2026dgt revision 0"]
    assert (
        run("git", "log", "--format=%s", "2026dgt/1", "--", "cutout_cdn/DES/DES_g.fits.dvc", cwd=full_clone).count("\n")
        == 1
    )
    assert len(run("git", "log", "--format=%h", "origin/2026dgt", cwd=full_clone).splitlines()) == 3


def test_git_tells_what_changed(full_clone, run):
    stat = run("git", "diff", "--stat=200", *TAGS, cwd=full_clone)
    assert f" {IMAGE}.dvc " in stat
    assert " 2026dgt.json " in stat
    assert "DES_g" not in stat


def test_dvc_reads_any_revision(full_clone, library, states, run, tmp_path):
    diff = run("dvc", "diff", *TAGS, cwd=full_clone)
    assert f"    {IMAGE}\n" in diff
    assert "DES_g.fits" not in diff
    listed = run("dvc", "list", "-R", "--dvc-only", "--rev", TAGS[0], library).split()
    assert sorted(listed) == sorted(wanted(states[0]))
    run("dvc", "get", "-q", "--rev", TAGS[1], library, IMAGE, "-o", tmp_path / "got.fits")
    assert (tmp_path / "got.fits").read_bytes() == wanted(states[2])[IMAGE]


OPEN = """
import hashlib, sys, dvc.api
for rev in sys.argv[2:]:
    with dvc.api.open("cutout_cdn/DES/DES_z.fits", repo=sys.argv[1], rev=rev, mode="rb") as file:
        print(hashlib.sha256(file.read()).hexdigest())
"""


def test_the_python_interface_of_dvc_reads_any_revision(library, states):
    done = subprocess.run([sys.executable, "-c", OPEN, library, *TAGS], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [hashlib.sha256(wanted(states[number])[IMAGE]).hexdigest() for number in (0, 2)], (
        done.stderr
    )


def test_git_finds_nothing_wrong(library, run):
    assert run("git", f"--git-dir={library}", "fsck", "--strict", "--no-dangling") == ""
