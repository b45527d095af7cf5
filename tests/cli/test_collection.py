"""`blastgit collection` and `blastgit run start` on the command line."""

import json

import pytest

from blastgit.cli.main import main
from blastgit.errors import Denied, InvalidInput, NotFound, UsageError

FILE = "cutout_cdn/DES/DES_z.fits"


@pytest.fixture
def say(history, capsys):
    """Type a command about a data repo; return what it prints, as JSON if that was asked for."""

    def call(*words, code=0):
        assert main(["-C", str(history), *words]) == code
        told = capsys.readouterr()
        said = told.err if code and not told.out else told.out
        return json.loads(said) if "--json" in words and not code else said

    return call


@pytest.fixture
def nearby(say):
    """TAGGED nearby/v1 and nearby/v2, and a pointer."""
    for number in (0, 1):
        say(
            "collection", "create", f"nearby/v{number + 1}", "--type", "tagged", "-m", "why", "--about", "Hosts near us"
        )
        say("collection", "add", f"nearby/v{number + 1}", f"2026dgt@{number}", "-m", "why")
    say("collection", "chain", "nearby", "nearby/v1", "-m", "What we recommend")
    return say


def test_reading(nearby):
    assert nearby("collection", "resolve", "nearby", "2026dgt") == "2026dgt@0\n"
    assert nearby("collection", "resolve", "nearby", "2026dgt", FILE, "--json")["via"] == ["nearby", "nearby/v1"]
    assert nearby("collection", "members", "nearby") == "2026dgt@0\n"
    assert "nearby/v1  TAGGED  1 member" in nearby("collection", "show", "nearby")
    assert "2026dgt@0" in nearby("collection", "show", "nearby/v1")
    names = [each["name"] for each in nearby("collection", "list", "--json")]
    assert names == ["nearby", "nearby/v1", "nearby/v2"]
    assert "What we recommend" in nearby("collection", "log", "nearby")
    assert nearby("collection", "diff", "nearby/v1", "nearby/v2", "--exit-code", code=1) == "! 2026dgt@0 -> 2026dgt@1\n"
    assert nearby("collection", "diff", "nearby", "nearby/v1", "--exit-code") == ""
    assert nearby("collection", "check") == ""
    assert "did you mean nearby" in nearby("collection", "show", "nearbi", code=NotFound.exit_code)


def test_lists_and_trials(nearby, tmp_path):
    (tmp_path / "list").write_text(f"# these\n2026dgt@1:{FILE}\n\n2026dgt@1:cutout_cdn/DES/DES_g.fits\n")
    nearby("collection", "create", "files", "--type", "TAGGED", "-m", "why")
    words = ("collection", "add", "files", "--from", str(tmp_path / "list"), "-m", "why")
    assert "files would change" in nearby(*words, "--dry-run")
    assert nearby("collection", "members", "files") == ""
    assert len(nearby(*words, "--json")["added"]) == 2
    assert "nothing to change" in nearby(*words)
    assert "which datasets" in nearby("collection", "add", "files", "-m", "why", code=UsageError.exit_code)
    missing = ("collection", "add", "files", "--from", "none", "-m", "why")
    assert "cannot be read" in nearby(*missing, code=InvalidInput.exit_code)


def test_validity(nearby):
    nearby("collection", "create", "calib/DM-1", "--type", "CALIBRATION", "-m", "why")
    nearby("collection", "certify", "calib/DM-1", f"2026dgt@0:{FILE}", "--end", "2026-06-01T00:00:00Z", "-m", "why")
    resolve = ("collection", "resolve", "calib/DM-1", "2026dgt", FILE)
    assert nearby(*resolve, "--time", "2026-05-31T00:00:00Z") == f"2026dgt@0:{FILE}\n"
    assert "give the time" in nearby(*resolve, code=UsageError.exit_code)
    nearby("collection", "decertify", "calib/DM-1", f"2026dgt@0:{FILE}", "-m", "why")
    assert nearby("collection", "members", "calib/DM-1") == ""


def test_protected_collections_never_ask_where_nobody_sits(nearby, history, run):
    text = run("git", "-C", history, "show", "main:blastgit.yaml") + "collections: {protected: [nearby]}\n"
    from blastgit.repository.edit import BranchEdit, commit_to_branch
    from blastgit.repository.local import LocalRepository

    repository = LocalRepository(history)
    commit_to_branch(repository, "main", lambda _: BranchEdit({"blastgit.yaml": text.encode()}, "Protect it"))
    words = ("collection", "chain", "nearby", "nearby/v2", "-m", "why")
    assert "--yes" in nearby(*words, code=Denied.exit_code)
    assert "nearby changed" in nearby(*words, "--yes")
    assert "Confirmed: nearby" in run("git", "-C", history, "log", "-1", "--format=%B", "main")


def test_a_run_and_what_it_read(nearby):
    umbrella = "runs/all/v1/DM-7"
    words = ("run", "start", "all", "v1", "DM-7", "--input", "nearby", "--output-run", f"{umbrella}/a", "-m", "why")
    assert nearby(*words).startswith(f"{umbrella}/a, {umbrella} changed")
    nearby("collection", "chain", "nearby", "nearby/v2", "-m", "a pointer moves")
    assert nearby("collection", "resolve", "nearby", "2026dgt", "--at", f"{umbrella}/a") == "2026dgt@0\n"
    assert nearby("collection", "resolve", "nearby", "2026dgt") == "2026dgt@1\n"
    nearby("collection", "validate", f"{umbrella}/a", "-m", "checked")
    assert "validated: checked" in nearby("collection", "show", f"{umbrella}/a")
    assert any(row["pattern"] == "skymaps" for row in nearby("collection", "names", "--json"))
    nearby("collection", "delete", umbrella, "-m", "a trial")
    nearby("collection", "delete", f"{umbrella}/a", "-m", "a trial")
