import json
import shutil

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.errors import Busy
from blastgit.plumbing.required import REQUIRED, missing_settings
from blastgit.repository.hooks import install_hooks


def test_a_fresh_repo_has_them_and_git_reads_them_so(repo, run):
    assert missing_settings(repo) == {}
    for key, value in REQUIRED.items():
        assert run("git", "-C", repo, "config", key).strip() == value


def test_an_older_repo_gets_them_with_the_hooks_and_verify_says_so(history, run, capsys):
    run("git", "-C", history, "config", "--unset", "gc.pruneExpire")
    run("git", "-C", history, "config", "gc.auto", "6700")
    run("git", "-C", history, "config", "maintenance.auto", "no")  # git reads it as false
    assert DataRepo(history).verify(fast=True).settings == {"gc.auto": "0", "gc.pruneExpire": "never"}
    assert main(["-C", str(history), "verify", "--fast"]) == 0
    assert "git in this repo should have gc.auto=0, gc.pruneExpire=never: `blastgit hooks install`" in (
        capsys.readouterr().out
    )
    assert main(["-C", str(history), "verify", "--fast", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["settings"]) == {"gc.auto", "gc.pruneExpire"}
    install_hooks(history)
    assert missing_settings(history) == {}


def test_git_gc_and_maintenance_delete_nothing_by_themselves(history, run):
    data = run("git", "-C", history, "hash-object", "-w", "--stdin", stdin="nobody refers to this").strip()
    for command in (("gc", "--quiet"), ("gc", "--auto"), ("maintenance", "run", "--auto")):
        run("git", "-C", history, *command)
    assert run("git", "-C", history, "cat-file", "-p", data) == "nobody refers to this"


def test_settings_that_cannot_be_written_are_told(history):
    shutil.copy(history / "HEAD", history / "config.lock")
    with pytest.raises(Busy, match=r"config\.lock"):
        install_hooks(history)
