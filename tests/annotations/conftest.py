"""A data repo with two revisions, and users who annotate them: in place, in clones, and elsewhere."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.api.annotations import Annotations
from blastgit.plumbing.process import git_environment
from tests.settings import add_settings

IMAGE = "cutout_cdn/DES/DES_g.fits"


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Say something as a user, one second after what was said before."""
    clock = iter(range(1, 60))

    def call(repo: Path | str, user: str, subjects: str | list[str], *, bot: bool = False, **said: Any) -> Any:
        monkeypatch.setenv("BLASTGIT_USER", user)
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"2026-07-01T12:00:{next(clock):02}+00:00")
        listed = [subjects] if isinstance(subjects, str) else subjects
        options = {key: said.pop(key) for key in ("attach", "announce", "dry_run") if key in said}
        return DataRepo(repo).annotations.add(listed, AnnotationBody(**said), bot=bot, **options)

    return call


@pytest.fixture
def room(history: Path) -> Annotations:
    """The annotations of a repo that has 2026dgt@0 and 2026dgt@1."""
    return DataRepo(history).annotations


@pytest.fixture
def clone(tmp_path: Path) -> Callable[..., Path]:
    """Clone a repo with plain git; return the clone's git folder."""

    def call(repo: Path, name: str, *options: str) -> Path:
        subprocess.run(["git", "clone", "--quiet", *options, repo, tmp_path / name], check=True, env=git_environment())
        folder = tmp_path / name / ".git"
        return folder if folder.is_dir() else tmp_path / name

    return call


@pytest.fixture
def said() -> Callable[..., list[str]]:
    """All comments of a repo, sorted."""
    return lambda repo: sorted(note.event.remark.comment for note in DataRepo(repo).annotations.list().notes)


@pytest.fixture
def set_main() -> Callable[..., None]:
    """Put text at the end of `blastgit.yaml` of a data repo, as its owner."""
    return add_settings


@pytest.fixture
def me() -> str:
    """Who runs the tests, as the policy would call them."""
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name
