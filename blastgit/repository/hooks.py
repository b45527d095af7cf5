"""Installing the shipped git hooks: the server's in a data repo, the client's in a clone."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from blastgit.errors import RepoError, WouldOverwrite
from blastgit.plumbing import durable
from blastgit.plumbing.process import git_folder, run_git
from blastgit.plumbing.required import REQUIRED
from blastgit.plumbing.settings_file import change_settings
from blastgit.plumbing.user_settings import Keep
from blastgit.repository.hooks_folder import FOLDER
from blastgit.repository.skeleton import shipped_folder

SERVER, CLIENT = "pre-receive", "pre-push"
_DURABLE = "reference-transaction"
_OURS = b"blastgit.guard"


def install_hooks(repo: Path, *, client: bool = False) -> Path:
    """Install the hook of a data repo or of a clone, and return its path.

    An older hook of blastgit is replaced. If the git server has a folder `pre-receive.d`, the hook goes there. A data
    repo also gets the git settings that it needs (`plumbing/required.py`).

    Args:
        repo: The data repo or clone.
        client: Whether it is a clone.

    Raises:
        RepoError: It is neither, or cannot be written.
        WouldOverwrite: There is another hook of that name.
    """
    folder = git_folder(repo)
    is_bare = run_git(folder, "rev-parse", "--is-bare-repository").strip() == b"true"
    if not client and not is_bare:
        raise RepoError(f"{repo} is a clone, not a data repo: `blastgit hooks install --client {repo}` is for clones")
    if client:
        path = _client_path(folder, CLIENT)
        _write(path, CLIENT)
        return path
    return install_server_hooks(folder, folder)


def install_server_hooks(folder: Path, home: Path) -> Path:
    """Install the hooks and the settings of a data repo at `folder` that will later be moved to `home`.

    Raises:
        RepoError: It cannot be written.
        WouldOverwrite: There is another hook of that name.
    """
    paths = {name: _server_path(folder, name) for name in (SERVER, _DURABLE)}
    for name, path in paths.items():
        _write(path, name)
    change_settings(folder, {**REQUIRED, FOLDER: str(home / "hooks")})
    return paths[SERVER]


def durable_hook(repo: Path) -> Path:
    """Return the path of a data repo's hook that syncs refs to disk after they have moved."""
    return _server_path(repo, _DURABLE)


def _server_path(folder: Path, name: str) -> Path:
    shared = folder / "hooks" / f"{name}.d"
    return shared / "blastgit" if shared.is_dir() else folder / "hooks" / name


def _client_path(folder: Path, name: str) -> Path:
    found = Path(run_git(folder, "rev-parse", "--git-path", f"hooks/{name}", keep=Keep.HOOKS).decode().strip())
    path = found if found.is_absolute() else Path.cwd() / found
    if folder not in path.parents:
        raise RepoError(
            f"git reads the hooks of {folder} from {path.parent} (core.hooksPath), which other clones may share: unset "
            f"it, or set it for this clone (git config core.hooksPath {folder / 'hooks'})"
        )
    return path


def _write(path: Path, name: str) -> None:
    text = (shipped_folder("hooks") / name).read_bytes()
    for word, value in (("@PYTHON@", sys.executable), ("@PACKAGE@", str(Path(__file__).resolve().parents[2]))):
        text = text.replace(f"'{word}'".encode(), shlex.quote(value).encode())
    try:
        if path.exists() and _OURS not in path.read_bytes():
            raise WouldOverwrite(
                f"{path} is another hook: move it away, or have it run both, or make the folder {path.name}.d if the "
                "server runs the hooks in it"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(text)
        new.chmod(0o755)
        durable.sync_file_systems([new])
        new.replace(path)
    except OSError as error:
        raise RepoError(f"{path} cannot be written: {error.strerror}") from None
