import os
import subprocess
from pathlib import Path

import pytest

from blastgit.errors import RepoError
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.user_settings import Keep, own_environment


@pytest.fixture
def settings(hermetic: Path) -> Path:
    """The user's own settings."""
    return hermetic / "gitconfig"


def read(key: str, keep: Keep, directory: Path | None = None) -> list[str]:
    """What git has for a setting when blastgit calls it."""
    try:
        return run_git(directory, "config", "--get-all", key, keep=keep).decode().splitlines()
    except GitError:
        return []


NEEDED = {
    "url.https://mirror.example.org/.insteadof": Keep.CONNECTION,
    "http.https://data.example.org.extraheader": Keep.CONNECTION,
    "http.proxy": Keep.CONNECTION,
    "credential.helper": Keep.CONNECTION,
    "core.sshcommand": Keep.CONNECTION,
    "ssh.variant": Keep.CONNECTION,
    "protocol.ext.allow": Keep.CONNECTION,
    "safe.directory": Keep.TRUST,
    "gpg.ssh.allowedsignersfile": Keep.SIGNING,
    "user.signingkey": Keep.SIGNING,
    "core.hookspath": Keep.HOOKS,
}


@pytest.mark.parametrize("key", NEEDED)
def test_what_a_call_needs_is_kept_and_only_for_it(key, settings):
    awkward = 'a "quoted" \\ value # with ; signs'
    subprocess.run(["git", "config", "--file", settings, key, awkward], check=True)
    assert read(key, NEEDED[key])[:1] == [awkward]
    assert awkward not in read(key, Keep.NOTHING)


@pytest.mark.parametrize(
    "key", ["fetch.prunetags", "core.fsync", "push.followtags", "transfer.hiderefs", "remote.x.url"]
)
@pytest.mark.parametrize("keep", Keep)
def test_nothing_else_is(key, keep, settings):
    subprocess.run(["git", "config", "--file", settings, key, "true"], check=True)
    assert "true" not in read(key, keep)


def test_not_even_a_repository_of_its_own_accord_prunes_tags(repo):
    run_git(repo, "config", "fetch.pruneTags", "true")
    assert read("fetch.prunetags", Keep.TRUST, repo)[-1] == "false"


def test_settings_of_the_environment_and_included_files_are_kept(settings, monkeypatch, tmp_path, repo):
    (tmp_path / "more").write_text("[http]\n\tproxy = http://proxy.example.org\n\tsslVerify\n")
    settings.write_text(f'[includeIf "gitdir:{repo}"]\n\tpath = {tmp_path}/more\n')
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "url.https://mirror.example.org/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://data.example.org/")
    assert read("http.proxy", Keep.CONNECTION, repo) == ["http://proxy.example.org"]
    assert read("http.sslverify", Keep.CONNECTION, repo) == [""]
    assert read("http.proxy", Keep.CONNECTION) == []
    assert read("url.https://mirror.example.org/.insteadof", Keep.CONNECTION) == ["https://data.example.org/"]


def test_a_token_is_seen_by_nobody_else_and_left_nowhere(settings, monkeypatch, tmp_path):
    settings.write_text("[http]\n\textraHeader = Authorization: secret\n")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with own_environment(None, Keep.CONNECTION) as environment:
        file = Path(environment["GIT_CONFIG_GLOBAL"])
        assert "secret" in file.read_text()
        assert file.parent.stat().st_mode & 0o077 == 0
        assert "secret" not in "".join(environment.values())
    assert not file.exists()
    assert list(tmp_path.iterdir()) == []


def test_variables_that_steer_git_are_left_out_and_those_of_a_connection_are_not(monkeypatch):
    for name in ("GIT_LITERAL_PATHSPECS", "GIT_TEMPLATE_DIR", "GIT_REF_PARANOIA", "GIT_QUARANTINE_PATH", "GIT_TRACE"):
        monkeypatch.setenv(name, "1")
    for name in ("GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_ASKPASS", "GIT_TOKEN", "GIT_ALLOW_PROTOCOL", "SSH_ASKPASS"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("GIT_TRACE_CURL", "/tmp/trace")
    with own_environment(None, Keep.CONNECTION) as environment:
        added = {name for name in environment if name in os.environ and environment[name] == os.environ[name]}
    assert {"GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_ASKPASS", "GIT_TOKEN", "GIT_ALLOW_PROTOCOL"} <= added
    assert "GIT_TRACE_CURL" in added
    for name in ("GIT_LITERAL_PATHSPECS", "GIT_TEMPLATE_DIR", "GIT_REF_PARANOIA", "GIT_QUARANTINE_PATH", "GIT_TRACE"):
        assert name not in environment
    with own_environment(None) as environment:
        assert "GIT_ALLOW_PROTOCOL" not in environment


def test_settings_that_git_cannot_read(settings):
    settings.write_text("[http\n")
    with pytest.raises(RepoError, match=r"cannot read your settings: fatal: bad config line 1 in file .*gitconfig"):
        run_git(None, "ls-remote", "https://data.example.org", keep=Keep.CONNECTION)
    run_git(None, "version")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-c", "a.b=c", "config", "--get", "no.such"), "git config failed: it ended with 1 and gave no reason"),
        (("-c", "alias.x=!kill -9 $PPID", "x"), r"git x failed: it was ended by a signal \(Killed\)"),
    ],
)
def test_a_failure_without_a_word_says_which_command_it_was_and_how_it_ended(words, said):
    with pytest.raises(GitError, match=said):
        run_git(None, *words)
