import re

import pytest

from blastgit.errors import RepoError
from blastgit.reading.textconv import set_up, textconv


@pytest.fixture
def clone(library, tmp_path, run, monkeypatch):
    """A full clone, set up, of a reader whom git does not know."""
    run("git", "clone", "--quiet", library, tmp_path / "clone")
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name)
    run("git", "config", "--global", "--remove-section", "user")
    run("git", "config", "--global", "user.useConfigOnly", "true")
    monkeypatch.setenv("PYTHONPATH", __file__.rpartition("/tests/")[0])
    run("git", "-C", tmp_path / "clone", "checkout", "--quiet", "2026dgt")
    set_up(tmp_path / "clone")
    return tmp_path / "clone"


def changed(text):
    lines = [line for line in text.splitlines() if re.match(r"[+-](?![+-]{2} )", line)]
    return [line[1:] for line in lines if line[0] == "-"], [line[1:] for line in lines if line[0] == "+"]


def test_git_diff_is_short_and_without_noise(clone, run):
    old, new = changed(run("git", "diff", "2026dgt/0", "2026dgt/1", cwd=clone))
    assert old[0] == "revision 0 of 2026dgt, by v1.12.0"
    assert new[0] == "revision 1 of 2026dgt, by v1.13.1"
    # every other line is a value or file that `blastgit diff` names too: no keys, no order, no last digits
    paths = {line.partition(": ")[0] for line in [*old[1:], *new[1:]]}
    tables = {re.split(r"[/.]", path)[0] for path in paths if not path.endswith((".fits", ".jpg", ".npz", ".h5"))}
    assert tables == {"photometry", "sed", "sfh"}
    assert {path for path in paths if path.startswith("photometry") and "DES_z" not in path} == set()
    assert not [path for path in paths if path.endswith((".pk", ".aperture", ".software_version"))]
    assert any(re.fullmatch(r"DES_z\.fits: 5,760 bytes, md5 [0-9a-f]{32}", line) for line in new)
    plain = run("git", "diff", "--no-textconv", "2026dgt/0", "2026dgt/1", cwd=clone)
    assert len(old) + len(new) < len(plain.splitlines()) / 3


def test_git_show_and_log_are_readable_too(clone, run):
    for text in (run("git", "show", "2026dgt/1", cwd=clone), run("git", "log", "-p", "-1", "2026dgt/1", cwd=clone)):
        assert "+revision 1 of 2026dgt, by v1.13.1" in text
        assert "Science-Digest: sha256:" in text


def test_a_reproduction_shows_no_difference(clone, run):
    assert run("git", "diff", "2026dgt/0", "2026dgt/1~", cwd=clone) == ""


def test_the_clone_stays_clean(clone, run):
    run("git", "diff", "2026dgt/0", "2026dgt/1", cwd=clone)
    assert run("git", "status", "--porcelain", cwd=clone) == ""
    assert run("git", "for-each-ref", "refs/notes", cwd=clone) == ""


def test_settings_are_made_twice_without_harm(clone, run):
    before = run("git", "config", "--local", "--list", cwd=clone)
    set_up(clone)
    assert run("git", "config", "--local", "--list", cwd=clone) == before


def test_a_folder_that_is_no_clone(tmp_path):
    with pytest.raises(RepoError, match="not a git repository"):
        set_up(tmp_path)


@pytest.mark.parametrize("kind", ["pointer", "revision"])
@pytest.mark.parametrize("data", [b"", b"{}", b"outs: 5\n", b"\xff\xfe", b"{" * 100_000])
def test_what_cannot_be_read_is_shown_as_it_is(kind, data):
    assert textconv(kind, data) == data.decode("utf-8", "replace")
