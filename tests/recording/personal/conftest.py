"""A data repo with an official history, and functions that record into a personal line."""

import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import Sample, refit
from blastgit.recording.result import Recorded
from tests.settings import add_settings


@pytest.fixture
def me() -> str:
    """Who runs the tests: whose own lines they may write."""
    return pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def shelf(history: Path) -> Path:
    """A repo of one's own with the official revisions 0 and 1."""
    return history


@pytest.fixture
def commit_settings() -> Callable[[Path, str], None]:
    """Put more into blastgit.yaml."""
    return add_settings


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], str]:
    """Return the URL of a repo that git opens by a stand-in for ssh, which runs here what it should run there."""
    program = tmp_path / "ssh"
    program.write_text('#!/bin/sh\nwhile test "$#" -gt 1; do shift; done\nunset GIT_PROTOCOL\nexec sh -c "$1"\n')
    program.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(program))
    monkeypatch.setenv("GIT_SSH_VARIANT", "simple")
    return lambda repo: f"ssh://data.example.org{repo}"


@pytest.fixture
def tries(states: tuple[Sample, ...]) -> list[Sample]:
    """Three other fits of 2026dgt's last state."""
    return [refit(states[2], seed=seed) for seed in (11, 12, 13)]


@pytest.fixture
def record_own(tmp_path: Path) -> Callable[..., Recorded]:
    """Record a sample into one's own line; takes `user`, `fork`, `run` and `dry_run`."""
    handed_in = tmp_path / "own"

    def call(repo: Path | str, sample: Sample, **options: Any) -> Recorded:
        export, data = sample.write(handed_in / str(len(list(handed_in.glob("*")))))
        return DataRepo(repo).personal.record(sample.name, export, data, **options)

    return call


@pytest.fixture
def own(shelf: Path, tries: list[Sample], record_own: Callable[..., Recorded], me: str) -> Path:
    """A repo with the official revisions 0 and 1, and one's own line of two that forks from 1."""
    assert [record_own(shelf, each).tag for each in tries[:2]] == [f"u/{me}/2026dgt/0", f"u/{me}/2026dgt/1"]
    return shelf
