"""`git log` shows annotations in a clone that was set up."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit.annotations.gitnotes import set_up_notes
from blastgit.errors import RepoError

IMAGE = "cutout_cdn/DES/DES_g.fits"


def test_git_log_shows_them(
    history: Path, clone: Callable[..., Path], speak: Callable[..., Any], run: Callable[..., str]
) -> None:
    first = speak(history, "alice", "2026dgt@1", comment="look again\nat this", flag="suspect")
    speak(history, "bob", f"2026dgt@0:{IMAGE}", flag="bad")
    speak(history, "bob", "2027new", comment="nothing yet", announce=True)
    work = clone(history, "work").parent
    assert set_up_notes(work) == 2
    text = run("git", "-C", work, "log", "-1", "2026dgt/1")
    assert "Notes (blastgit):" in text
    assert "alice on 2026dgt@1: SUSPECT\n" in text
    assert "    look again" in text
    assert f"bob on 2026dgt@0:{IMAGE}: BAD" in text
    assert "look again" not in run("git", "-C", work, "log", "-1", "2026dgt/0")
    speak(work / ".git", "alice", [], comment="solved", supersedes=first.ids)
    assert set_up_notes(work) == 2
    text = run("git", "-C", work, "log", "-1", "2026dgt/1")
    assert "solved" in text
    assert "look again" not in text
    assert run("git", "-C", work, "fsck", "--strict") == ""
    assert run("git", "-C", work, "config", "--get-all", "notes.displayRef") == "refs/notes/blastgit\n"


def test_where_there_is_nothing_to_show(history: Path, clone: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(RepoError, match="has no branch annotations"):
        set_up_notes(clone(history, "work").parent)
    with pytest.raises(RepoError, match="is not a git repository"):
        set_up_notes(tmp_path)
