"""A token in a URL reaches git, but neither its arguments nor a message."""

from pathlib import Path

import pytest

from blastgit.plumbing.credentials import hidden, redacted
from blastgit.plumbing.process import run_git
from blastgit.plumbing.user_settings import own_environment

URL = "https://alice:s3cr%40t@example.org:8443/data.git"


def test_git_asks_for_what_its_arguments_do_not_say() -> None:
    command = hidden(["fetch", "--", URL, "refs/heads/main"])
    assert command.args == ("fetch", "--", "https://example.org:8443/data.git", "refs/heads/main")
    assert "s3cr" not in " ".join([*command.args, *command.settings, *command.settings.values()])
    wanted = b"protocol=https\nhost=example.org:8443\n\n"
    with own_environment(None, settings=command.settings) as environment:
        variables = {key: value for key, value in environment.items() if key.startswith("GIT_CONFIG_")}
    found = run_git(None, "credential", "fill", stdin=wanted, env={**variables, **command.environment})
    assert b"username=alice\npassword=s3cr@t\n" in found


@pytest.mark.parametrize("word", ["https://example.org/x", "git@example.org:x", "ssh://me@host/x", "/a/b@c", "HEAD"])
def test_other_words_stay(word: str) -> None:
    assert hidden([word]).args == (word,)


def test_what_a_process_list_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = tmp_path / "git"
    spy.write_text(f'#!/bin/sh\nprintf "%s " "$@" > {tmp_path}/seen\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    run_git(None, "ls-remote", "--", URL)
    assert (tmp_path / "seen").read_text() == "ls-remote -- https://example.org:8443/data.git "


def test_a_report_is_for_others_to_read() -> None:
    text = f"blastgit -C {URL} store add x --store-option secret_access_key=abc123 AND hunter22"
    said = redacted(text, {"AWS_SECRET_ACCESS_KEY": "hunter22", "HOME": "/home/alice"})
    assert "s3cr" not in said
    assert "abc123" not in said
    assert "hunter22" not in said
    assert "example.org:8443/data.git" in said
