"""Changes git settings of a repository together and durably, since git itself does not sync its settings file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pygit2

from blastgit.errors import Busy, RepoError


def change_settings(directory: Path, settings: Mapping[str, str]) -> None:
    """Set some of git's settings for one repository.

    Args:
        directory: The git directory.
        settings: The values by key, `core.fsync`.

    Raises:
        Busy: Another process is changing them.
        RepoError: They cannot be written.
    """
    path, new = directory / "config", directory / "config.lock"  # git takes the same lock
    try:
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC))
    except FileExistsError:
        raise Busy(
            f"{new} exists: another process is changing git's settings. If there is none, it died: remove the file"
        ) from None
    except OSError as error:
        raise RepoError(f"{path} cannot be written: {error.strerror}") from None
    try:
        shutil.copy(path, new)
        config = pygit2.Config(str(new))
        for key, value in settings.items():
            config[key] = value
        shutil.copymode(path, new)
        _sync(new)
        new.replace(path)
        _sync(directory)
    except (OSError, pygit2.GitError) as error:
        new.unlink(missing_ok=True)
        raise RepoError(f"{path} cannot be written: {error}") from None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
