import shutil

import pytest

from blastgit.cli import main


def test_it_shows_where_contents_lie(repo, capsys):
    assert main(["-C", str(repo), "store"]) == 0
    assert capsys.readouterr().out == f"{repo}/dvc\n"


def test_after_a_move_old_revisions_come_from_the_new_place(repo, sample, record, tmp_path, capsys):
    record(repo, sample)
    new = tmp_path / "elsewhere"
    assert main(["-C", str(repo), "store", "move", str(new)]) == 8
    assert f"the store {new} lacks" in capsys.readouterr().err
    shutil.move(repo / "dvc", new)
    assert main(["-C", str(repo), "store", "move", str(new)]) == 0
    assert f"dvc remote modify --local store url {new}" in capsys.readouterr().out
    assert main(["-C", str(repo), "get", "2026dgt@0", str(tmp_path / "got")]) == 0


@pytest.mark.parametrize("words", [["add", "x"], ["show", "x"], ["move", "x", "--store-option", "y"]])
def test_calls_without_sense(repo, words):
    assert main(["-C", str(repo), "store", *words]) == 2


def test_options_that_are_not_for_all_are_refused(tmp_path, capsys):
    words = ["init", str(tmp_path / "new"), "--store", "s3://bucket/x", "--store-option", "secret_access_key=1"]
    assert main(words) == 6
    assert not (tmp_path / "new").exists()
    assert "secret_access_key" in capsys.readouterr().err
