"""Roles and identities; the library requires the same roles as the hook."""

import timeit
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.errors import Denied, RepoError
from blastgit.repository.policy import ROLES, Policy, current_identity, read_policy, require
from blastgit.repository.settings import default_text, read_settings


def test_without_a_policy_everybody_may_do_everything() -> None:
    settings = read_settings(default_text(simulated=True))
    assert settings.policy.is_open
    for role in ROLES:
        require(settings, role, "anybody")


def test_roles_names_patterns_and_ends() -> None:
    policy = read_policy(
        {
            "roles": {
                "admin": ["alice"],
                "writer": [{"who": "worker-*", "for": ["2026*", "SN*"]}, {"who": "bob", "until": date(2026, 7, 1)}],
                "annotator": ["*"],
            }
        }
    )
    day = datetime(2026, 7, 1, 23, 59, tzinfo=UTC)
    assert policy.allows("writer", "worker-7", "2026dgt", day)
    assert not policy.allows("writer", "worker-7", "2025a", day)
    assert not policy.allows("admin", "worker-7", "", day)
    assert policy.allows("writer", "bob", "2025a", day)
    assert not policy.allows("writer", "bob", "2025a", datetime(2026, 7, 2, tzinfo=UTC))
    assert all(policy.allows(role, "alice", "2026dgt", day) for role in ROLES)
    assert policy.allows("annotator", "eve", "2026dgt", day)
    assert not policy.allows("curator", "eve", "x", day)
    with pytest.raises(Denied, match=r"eve does not have the role 'writer' for x, .* \(alice\)"):
        policy.check("writer", "eve", "x")


@pytest.mark.parametrize(
    ("environment", "who"),
    [
        ({"GL_USER": "alice", "USER": "git"}, "alice"),
        ({"GL_USERNAME": "alice"}, "alice"),
        ({"GITEA_PUSHER_NAME": "alice"}, "alice"),
        ({"GITLAB_USER_LOGIN": "alice"}, "alice"),
        ({"REMOTE_USER": "alice@EXAMPLE.ORG", "GATEWAY_INTERFACE": "CGI/1.1"}, "alice@EXAMPLE.ORG"),
        ({"SSH_USER": "alice"}, "alice"),
        ({"GATEWAY_INTERFACE": "CGI/1.1"}, "anonymous"),
        ({"GATEWAY_INTERFACE": "CGI/1.1", "REMOTE_USER": ""}, "anonymous"),
        ({"REMOTE_USER": "a\nb"}, "anonymous"),
    ],
)
def test_who_somebody_is(environment: dict[str, str], who: str) -> None:
    assert current_identity(environment) == who


def test_otherwise_the_account_counts_and_not_what_the_shell_says(me: str) -> None:
    assert current_identity({"USER": "somebody", "LOGNAME": "somebody"}) == me


@pytest.mark.parametrize(
    "loaded",
    [
        [], {}, {"roles": []}, {"roles": {}}, {"roles": {"admin": []}}, {"roles": {"admin": "alice"}},
        {"roles": {"admin": [5]}}, {"roles": {"admin": [{}]}}, {"roles": {"admin": [{"who": ""}]}},
        {"roles": {"admin": [{"who": "a", "until": "soon"}]}}, {"roles": {"admin": [{"who": "a", "for": "x"}]}},
        {"roles": {"admin": ["a"], "king": ["a"]}}, {"roles": {"admin": ["a"]}, "more": 1},
    ],
)  # fmt: skip
def test_a_policy_that_makes_no_sense(loaded: Any) -> None:
    with pytest.raises(RepoError, match=r"^blastgit.yaml on main: policy"):
        read_policy(loaded)


def test_the_library_holds_itself_to_it(clone: Any, me: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from blastgit.demo import refit, small

    text = f"format: 1\nkind: simulated\npolicy: {{roles: {{admin: [alice], writer: [bob, {me}-not]}}}}\n"
    clone.edit_main({"blastgit.yaml": text.encode()})
    assert clone.check("refs/heads/main") == ""
    export, data = refit(small("2026dgt"), seed=3).write(clone.path.parent / "next")
    refs = clone.refs()
    with pytest.raises(Denied, match=f"{me} does not have the role 'writer' for 2026dgt") as caught:
        DataRepo(clone.repo).record("2026dgt", export, data)
    assert caught.value.exit_code == 11
    assert clone.refs() == refs
    assert DataRepo(clone.repo).record("2026dgt", export, data, dry_run=True).status == "recorded"
    monkeypatch.setenv("REMOTE_USER", "bob")
    assert DataRepo(clone.repo).record("2026dgt", export, data).status == "recorded"


def test_asking_costs_nothing_to_speak_of(repo: Path, record: Callable[..., Any]) -> None:
    text = b"format: 1\npolicy: {roles: {admin: [alice], writer: ['*']}}\n"
    settings = read_settings(text)
    once = min(timeit.repeat(lambda: require(settings, "writer", subject="2026dgt"), number=100, repeat=5)) / 100
    assert once < 0.0002
    assert Policy().allows("writer", "anybody")
