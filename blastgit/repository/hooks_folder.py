"""Where git looks for the hooks of a data repo, also after the repo was moved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pygit2

FOLDER = "core.hooksPath"
"""Named whatever hooks the account has set for all its repositories, and by its full path: git looks for another one in
the present folder, which may be anybody's."""


def follow_move(repo: Path, git: pygit2.Repository) -> None:
    """Have git find the hooks of a data repo that was moved: it knows their folder by where the repo was."""
    try:
        known = git.config[FOLDER] or ""
    except KeyError:
        return
    if known == "hooks" or (Path(known).name == "hooks" and not Path(known).exists()):
        from blastgit.plumbing.settings_file import change_settings

        change_settings(repo, {FOLDER: str(repo.absolute() / "hooks")})
