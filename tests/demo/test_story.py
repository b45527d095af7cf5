"""The demo's story runs, and deletes only what it made."""

import subprocess
import sys

import pytest

from blastgit.demo import story
from blastgit.demo.__main__ import main
from blastgit.errors import DamagedData, WouldOverwrite

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A told story: its folder, and all that it printed."""
    folder = tmp_path_factory.mktemp("story") / "demo"
    code = f"from pathlib import Path; from blastgit.demo.story import tell; tell(Path({str(folder)!r}), pixels=16)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder, done.stdout


def section(told, start, end):
    return told[1].partition(start)[2].partition(end)[0]


def test_processing_again_with_the_same_values_makes_no_revision(told):
    assert "unchanged: the values are those of revision 0" in section(told, "run2/export.json", "$ ")


def test_a_changed_image_makes_revision_1_and_stores_only_what_changed(told):
    said = section(told, "run3/export.json", "$ ")
    assert "revision 1 (2026dgt/1): DES_z image changed" in said
    assert "6 files stored" in said


def test_the_first_revision_came_back_with_nothing_but_git_and_dvc(told):
    folder, text = told
    assert "$ git clone --quiet --branch 2026dgt/0 --single-branch data.git paper\n" in text
    assert "$ cd paper && dvc pull\n" in text
    assert "24 of 24 files are there" in text
    path = "cutout_cdn/2026dgt/DES/DES_z.fits"
    original = (folder / "run1/data" / path).read_bytes()
    assert (folder / "paper" / path.replace("2026dgt/", "")).read_bytes() == original
    assert (folder / "run3/data" / path).read_bytes() != original


def test_history_and_difference_are_shown(told):
    assert section(told, "$ git -C data.git log", "\n$ ").count("revision") >= 2
    assert "photometry/2026dgt_DES_z_global/DES_z.flux" in section(told, "$ blastgit -C data.git diff", "All of this")


def test_no_colours_where_there_is_no_terminal(told):
    assert "\x1b" not in told[1]


def test_files_that_do_not_come_back_as_they_were_are_a_failure(tmp_path, capsys):
    story.tell(tmp_path / "demo", pixels=16)
    (tmp_path / "demo/paper").rename(tmp_path / "demo/earlier")
    with pytest.raises(DamagedData, match="recorded"):
        story._bring_back(story._Teller(tmp_path / "demo"), {"cutout_cdn/DES/DES_z.fits": "0" * 64})


def test_an_earlier_telling_is_replaced(tmp_path):
    story.prepare(tmp_path / "demo")
    (tmp_path / "demo/data.git").mkdir()
    story.prepare(tmp_path / "demo")
    assert not (tmp_path / "demo/data.git").exists()


@pytest.mark.parametrize("kind", ["folder", "empty folder", "file", "link"])
def test_what_the_demo_did_not_make_stays(tmp_path, kind):
    ours, target = tmp_path / "ours", tmp_path / "demo"
    story.prepare(ours)
    if kind == "file":
        target.write_text("precious")
    elif kind == "link":
        target.symlink_to(ours)
    else:
        target.mkdir()
        if kind == "folder":
            (target / "thesis.tex").write_text("precious")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(WouldOverwrite, match="not made by the demo"):
        story.prepare(target)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_the_command_says_why_it_stops(tmp_path, capsys):
    (tmp_path / "demo").mkdir()
    assert main([str(tmp_path / "demo")]) == WouldOverwrite.exit_code
    assert "move it away" in capsys.readouterr().err
