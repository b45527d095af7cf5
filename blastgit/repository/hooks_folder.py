"""Where git looks for the hooks of a data repo, even after the repo was moved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pygit2

FOLDER = "core.hooksPath"
"""Always set, since the account may have set hooks for all its repositories, and to a full path: git resolves a
relative one in the current folder, which anybody may control."""


def follow_move(repo: Path, git: pygit2.Repository) -> None:
    """Update the path of the hooks if the data repo was moved."""
    try:
        known = git.config[FOLDER] or ""
    except KeyError:
        return
    if known == "hooks" or (Path(known).name == "hooks" and not Path(known).exists()):
        from blastgit.plumbing.settings_file import change_settings

        change_settings(repo, {FOLDER: str(repo.absolute() / "hooks")})
