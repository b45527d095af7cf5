"""Pushing through a web server that authenticates users: `git http-backend`, as any CGI server runs it."""

from typing import Any

import pytest

from blastgit import DataRepo
from tests.http_backend import served_over_http

pytestmark = pytest.mark.slow

BRANCH, TAG = "refs/heads/2026dgt", "refs/tags/2026dgt/1"


def test_the_web_servers_word_decides(clone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    text = b"format: 1\nkind: simulated\npolicy: {roles: {admin: [alice], writer: [bob]}}\n"
    clone.edit_main({"blastgit.yaml": text})
    assert clone.push("refs/heads/main") == ""
    clone.git("--git-dir", clone.repo, "config", "http.receivepack", "true")
    with served_over_http(clone.repo.parent) as (url, _):
        said = clone.push("--atomic", BRANCH, TAG, url=f"{url}/eve/repo")
        assert "eve does not have the role 'writer' for 2026dgt" in said
        said = clone.push("--atomic", BRANCH, TAG, url=f"{url}/-/repo")
        assert "anonymous does not have the role 'writer'" in said
        said = clone.push("good^:refs/heads/u/eve/2026dgt", url=f"{url}/bob/repo")
        assert "belongs to eve, so bob may not write there" in said
        said = clone.push("good^:refs/heads/u/anonymous/2026dgt", url=f"{url}/-/repo")
        assert "anonymous may not write" in said
        assert clone.push("--atomic", BRANCH, TAG, url=f"{url}/bob/repo") == ""
        assert clone.push("good^:refs/heads/u/eve/2026dgt", url=f"{url}/eve/repo") == ""
    assert DataRepo(clone.repo).verify().problems == []
