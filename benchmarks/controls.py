"""The controls for blastgit: the minimal work on the same bytes, and the same job by hand with git and DVC."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from blastgit.plumbing.durable import sync_file_systems
from blastgit.store.hashing import CHUNK

BIN = Path(sys.executable).parent
"""The path of the dvc that belongs to this Python."""


def isolate(home: Path) -> None:
    """Isolate this process and its children from the user's git and DVC settings, and let Python write bytecode."""
    home.mkdir(parents=True)
    settings = home / "gitconfig"
    settings.write_text(
        "[user]\n\tname = Benchmark\n\temail = benchmark@example.org\n[init]\n\tdefaultBranch = main\n"
        "[advice]\n\tdetachedHead = false\n"
    )
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR"):
        os.environ[name] = str(home / name.lower())
    os.environ |= {
        "HOME": str(home), "GIT_CONFIG_GLOBAL": str(settings), "GIT_CONFIG_NOSYSTEM": "1", "DVC_NO_ANALYTICS": "1",
        "PYTHONPATH": str(Path(__file__).parents[1]), "NO_COLOR": "1",
    }  # fmt: skip
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else every start compiles everything again


def run(*command: str | Path, folder: Path | None = None) -> None:
    """Run a command; its output is shown only if it fails.

    Raises:
        RuntimeError: The command failed.
    """
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")


def blastgit(*words: str | Path) -> None:
    """Run blastgit as a separate process."""
    run(sys.executable, "-m", "blastgit", *words)


def hash_and_write(files: Iterable[Path], target: Path) -> None:
    """Read files, compute MD5 and SHA-256, and write them durably to a folder that appears only when complete.

    That needs two syncs, as in a recording: of the contents, and of the name by which they are found.
    """
    part = target.with_name(f"{target.name}.part")
    part.mkdir()
    for number, file in enumerate(files):
        md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
        with file.open("rb", buffering=0) as source, (part / str(number)).open("xb", buffering=0) as copy:
            while chunk := source.read(CHUNK):
                md5.update(chunk)
                sha256.update(chunk)
                copy.write(chunk)
    sync_file_systems([part])
    part.rename(target)
    sync_file_systems([target])


def md5sum(files: Sequence[Path]) -> None:
    """Run `md5sum`."""
    run("md5sum", *files)


class ByHand:
    """A work tree with git and DVC, in which revisions are recorded with the commands of the manual."""

    def __init__(self, folder: Path) -> None:
        """Set up the repository at `folder`."""
        self.folder = folder
        run("git", "init", "--quiet", folder)
        run(BIN / "dvc", "init", "--quiet", folder=folder)
        run("git", "commit", "--quiet", "--message", "Set up", folder=folder)
        run("git", "branch", "other", folder=folder)

    def add(self, files: Iterable[tuple[str, Path]], document: Path, tag: str) -> None:
        """Record: copy, `dvc add`, `git add`, `git commit`, `git tag`.

        Args:
            files: The new or changed files: the path in the repository, and the source of each.
            document: The export.
            tag: The tag's name.
        """
        paths = []
        for path, source in files:
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)  # DVC may have linked it to its cache
            shutil.copyfile(source, target)
            paths.append(path)
        shutil.copyfile(document, self.folder / "export.json")
        run(BIN / "dvc", "add", "--quiet", *paths, folder=self.folder)
        run("git", "add", "--all", ".", folder=self.folder)
        run("git", "commit", "--quiet", "--message", f"Record {tag}", folder=self.folder)
        run("git", "tag", "--annotate", "--message", tag, tag, folder=self.folder)

    def checkout(self, branch: str) -> None:
        """Check out a branch."""
        run("git", "checkout", "--quiet", branch, folder=self.folder)


def clone_and_pull(repo: Path, tag: str, target: Path) -> None:
    """Retrieve a revision as the README of a data repo describes it."""
    run("git", "clone", "--quiet", "--branch", tag, "--single-branch", repo.as_uri(), target)
    run(BIN / "dvc", "pull", "--quiet", folder=target)


def dvc_diff(clone: Path, old: str, new: str) -> None:
    """Compare two revisions in a full clone."""
    run(BIN / "dvc", "diff", old, new, folder=clone)
