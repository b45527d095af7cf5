import os
import subprocess
import sys

import pytest

from blastgit.errors import RepoError
from blastgit.plumbing.process import GitError, git_environment, git_folder, run_git
from blastgit.plumbing.user_settings import Keep


def test_a_failure_has_the_words_of_git(tmp_path):
    with pytest.raises(GitError, match="git rev-parse failed: fatal: not a git repository") as caught:
        run_git(tmp_path, "rev-parse", "HEAD")
    assert caught.value.stderr.startswith("fatal:")


def test_the_repository_of_a_running_hook_does_not_leak_in(repo, monkeypatch, tmp_path):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_INDEX_FILE", "GIT_NAMESPACE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert run_git(repo, "rev-parse", "--git-dir").decode().strip() == str(repo)
    assert run_git(repo, "for-each-ref", "--format=%(refname)") == b"refs/heads/main\n"


def test_every_variable_that_git_calls_local_is_left_out(run, monkeypatch):
    names = set(run("git", "rev-parse", "--local-env-vars").split())
    for name in names:
        monkeypatch.setenv(name, "x")
    left = names & set(git_environment())
    assert left <= {"GIT_CONFIG_COUNT"}  # a user's own settings for this call, which hold for every repository


def test_hooks_of_the_present_folder_do_not_run(repo, monkeypatch, tmp_path):
    """Git takes a relative `core.hooksPath` from wherever it was started."""
    run_git(repo, "config", "core.hooksPath", "hooks")
    (tmp_path / "cwd/hooks").mkdir(parents=True)
    hook = tmp_path / "cwd/hooks/reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/run\n")
    hook.chmod(0o755)
    monkeypatch.chdir(tmp_path / "cwd")
    run_git(repo, "update-ref", "refs/heads/x", "refs/heads/main")
    assert not (tmp_path / "run").exists()
    run_git(repo, "update-ref", "refs/heads/y", "refs/heads/main", keep=Keep.HOOKS)
    assert (tmp_path / "run").exists()


def test_no_prompt_and_english():
    environment = git_environment({"A": "b"})
    assert (environment["GIT_TERMINAL_PROMPT"], environment["LC_ALL"], environment["A"]) == ("0", "C.UTF-8", "b")


def test_git_inherits_what_it_is_given():
    read, write = os.pipe()
    os.close(write)
    try:
        listed = run_git(None, "-c", "alias.see=!ls /proc/self/fd", "see", pass_fds=(read,))
    finally:
        os.close(read)
    assert str(read) in listed.decode().split()


def test_a_machine_without_git(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepoError, match="no git on PATH"):
        run_git(None, "version")


def test_where_git_is_kept_from_a_repository_its_reason_is_told(tmp_path, run):
    run("git", "init", "-q", tmp_path / "clone")
    assert git_folder(tmp_path / "clone") == tmp_path / "clone/.git"
    (tmp_path / "clone/.git/config").write_text("[core\n")
    with pytest.raises(RepoError, match=r"not a git repository that can be used here \(fatal: bad config line 1"):
        git_folder(tmp_path / "clone")
    for words in (["setup"], ["setup", "--notes"], ["hooks", "install"]):
        done = subprocess.run(
            [sys.executable, "-m", "blastgit", *words, tmp_path / "clone"], capture_output=True, text=True, check=False
        )
        assert done.returncode == RepoError.exit_code
        assert "bad config line 1" in done.stderr


def test_a_git_that_was_killed_is_no_git_that_found_nothing(tmp_path, monkeypatch):
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nkill -9 $$\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    with pytest.raises(GitError, match="it was ended by a signal") as caught:
        run_git(None, "--version")
    assert caught.value.was_killed
    assert "signal" in caught.value.said
