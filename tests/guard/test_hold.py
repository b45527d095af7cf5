"""The locks of a push are held until git has moved the refs, and no longer."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from blastgit.demo import refit, small
from blastgit.plumbing.process import git_environment
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def before_the_hook(repo: Path, *lines: str) -> None:
    """Have a shell do something each time before the hook runs."""
    hook = repo / "hooks/pre-receive"
    hook.rename(repo / "hooks/real")
    hook.write_text("\n".join(["#!/bin/sh", *lines, f"exec {repo}/hooks/real"]) + "\n")
    hook.chmod(0o755)


def locks(repo: Path) -> list[Path]:
    return [*(repo / "blastgit/locks").iterdir(), *repo.rglob("*.lock")]


def hook(repo: Path, lines: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "blastgit.guard", "pre-receive", *arguments]
    return subprocess.run(
        command, input=lines, text=True, cwd=repo, env=git_environment({"GIT_DIR": "."}), check=False, **options
    )


def test_a_hook_whose_git_has_died_ends_at_once(clone: Any, record: Any) -> None:
    before_the_hook(clone.repo, "kill -9 $PPID")
    refs = clone.refs()
    assert clone.push("2026dgt", "2026dgt/1")
    wait_until(lambda: not locks(clone.repo))
    assert clone.refs() == refs
    assert not (clone.repo / "blastgit/pushes.jsonl").exists()
    assert record(clone.repo, refit(small("2026dgt"), seed=3), timeout=5).revision == 1


def test_it_knows_its_git_by_the_shell_and_by_who_reads_its_words(clone: Any) -> None:
    line = f"{'0' * 40} {clone.git('rev-parse', 'main')} refs/heads/2026new\n"
    done = hook(clone.repo, line, "1", stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert "the git that received this push has ended" in done.stderr
    reader, writer = os.pipe()
    os.close(reader)
    assert hook(clone.repo, line, str(os.getpid()), stderr=writer).returncode != 0
    os.close(writer)
    assert locks(clone.repo) == []
    assert not (clone.repo / "blastgit/pushes.jsonl").exists()


def test_a_push_is_noted_when_its_refs_have_moved(clone: Any) -> None:
    assert clone.push("2026dgt", "2026dgt/1") == ""
    wait_until(lambda: not locks(clone.repo))
    (line,) = (clone.repo / "blastgit/pushes.jsonl").read_text().splitlines()
    assert {each["ref"] for each in json.loads(line)["refs"]} == {"refs/heads/2026dgt", "refs/tags/2026dgt/1"}


def test_a_push_that_git_refuses_in_the_end_is_not_noted(clone: Any) -> None:
    refuses = clone.repo / "hooks/reference-transaction"
    refuses.write_text('#!/bin/sh\ntest "$1" != prepared\n')
    assert clone.push("2026dgt", "2026dgt/1")
    wait_until(lambda: not locks(clone.repo))
    assert not (clone.repo / "blastgit/pushes.jsonl").exists()


@pytest.mark.parametrize("refs", [("2026dgt", "2026dgt/1"), ("main",)])
def test_the_locks_of_a_killed_receive_pack_go(clone: Any, refs: tuple[str, ...]) -> None:
    """It is killed when it has prepared to move the refs, as git's own hook tells."""
    hook = clone.repo / "hooks/reference-transaction"
    hook.write_text('#!/bin/sh\ntest "$1" = prepared && kill -9 $PPID\nexit 0\n')
    if refs == ("main",):
        clone.edit_main({"README.md": b"x"})
    assert clone.push(*refs)
    wait_until(lambda: not locks(clone.repo))
    assert not (clone.repo / "blastgit/pushes.jsonl").exists()
