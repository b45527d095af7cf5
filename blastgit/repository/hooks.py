"""Putting the shipped git hooks in place: the server's into a data repo, the client's into a clone."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pygit2

from blastgit.errors import RepoError, WouldOverwrite
from blastgit.plumbing.process import GitError, run_git
from blastgit.plumbing.required import set_required
from blastgit.plumbing.user_settings import Keep
from blastgit.repository.skeleton import shipped_folder

SERVER, CLIENT = "pre-receive", "pre-push"
_FOLDER = "core.hooksPath"
_OURS = b"blastgit.guard"


def install_hooks(repo: Path, *, client: bool = False) -> Path:
    """Install the hook of a data repo, or of a clone of one, and return where it is now.

    An older one of ours is replaced. Where a git server keeps a folder `pre-receive.d`, it goes there. A data repo also
    gets the settings of git that it needs (`plumbing/required.py`).

    Args:
        repo: The data repo or clone.
        client: Whether it is a clone.

    Raises:
        RepoError: It is neither, or cannot be written.
        WouldOverwrite: Another hook of that name is there.
    """
    folder = _git_folder(repo)
    is_bare = run_git(folder, "rev-parse", "--is-bare-repository").strip() == b"true"
    if not client and not is_bare:
        raise RepoError(f"{repo} is a clone, not a data repo: `blastgit hooks install --client {repo}` is for clones")
    name = CLIENT if client else SERVER
    path = _client_path(folder, name) if client else _server_path(folder, name)
    _write(path, name)
    if not client:
        set_required(folder)
        _name_folder(folder)
    return path


def follow_move(repo: Path, git: pygit2.Repository) -> None:
    """Have git find the hooks of a data repo that was moved: it knows their folder by where the repo was."""
    try:
        known = git.config[_FOLDER] or ""
    except KeyError:
        return
    if known == "hooks" or (Path(known).name == "hooks" and not Path(known).exists()):
        _name_folder(repo.absolute())


def _name_folder(folder: Path) -> None:
    """Name the folder of hooks, whatever hooks the account has set for all its repositories.

    By its full path: git looks for another one in the present folder, which may be anybody's.
    """
    run_git(folder, "config", _FOLDER, str(folder / "hooks"))


def _git_folder(repo: Path) -> Path:
    try:
        found = run_git(None, "-C", str(repo), "rev-parse", "--absolute-git-dir", keep=Keep.TRUST)
    except GitError:
        raise RepoError(f"{repo} is no git repository") from None
    return Path(found.decode().strip())


def _server_path(folder: Path, name: str) -> Path:
    shared = folder / "hooks" / f"{name}.d"
    return shared / "blastgit" if shared.is_dir() else folder / "hooks" / name


def _client_path(folder: Path, name: str) -> Path:
    found = Path(run_git(folder, "rev-parse", "--git-path", f"hooks/{name}", keep=Keep.HOOKS).decode().strip())
    path = found if found.is_absolute() else Path.cwd() / found
    if folder not in path.parents:
        raise RepoError(
            f"git takes the hooks of {folder} from {path.parent}, which core.hooksPath names and other clones may use: "
            f"unset it, or set it for this clone (git config core.hooksPath {folder / 'hooks'})"
        )
    return path


def _write(path: Path, name: str) -> None:
    text = (shipped_folder("hooks") / name).read_bytes()
    for word, value in (("@PYTHON@", sys.executable), ("@PACKAGE@", str(Path(__file__).resolve().parents[2]))):
        text = text.replace(f"'{word}'".encode(), shlex.quote(value).encode())
    try:
        if path.exists() and _OURS not in path.read_bytes():
            raise WouldOverwrite(
                f"{path} is another hook: move it away, and let it run both, or install ours where the server looks "
                f"for more ({path.name}.d)"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.new")
        new.write_bytes(text)
        new.chmod(0o755)
        new.replace(path)
    except OSError as error:
        raise RepoError(f"{path} cannot be written: {error.strerror}") from None
