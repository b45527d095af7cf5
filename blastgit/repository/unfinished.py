"""A data repo that is made of another one, step by step: until all of it is there, nobody takes it for whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blastgit.errors import RepoError
from blastgit.plumbing.building import sole_maker
from blastgit.plumbing.durable import sync_file_systems

UNFINISHED = "blastgit/unfinished"
"""The file that says so, in the data repo; who is making the repo holds `flock` on it."""


def check_finished(repo: Path) -> None:
    """Check that a data repo is whole.

    Raises:
        RepoError: It is still being made, or the process that made it died.
    """
    if (repo / UNFINISHED).exists():
        raise RepoError(
            f"{repo} is not whole: `blastgit subset` is still making it; if that was broken off, give the command again"
        )


@contextmanager
def finished_at_the_end(repo: Path) -> Iterator[None]:
    """Have a data repo count as whole at the end, durably. If something fails, it goes, and the call can be repeated.

    Args:
        repo: The data repo, made with `init(…, is_whole=False)`.

    Raises:
        Busy: Another process is at work there.
        RepoError: A disk failed.
    """
    with sole_maker(repo, repo / UNFINISHED):
        try:
            yield
            sync_file_systems([repo])
            (repo / UNFINISHED).unlink()
            sync_file_systems([repo])
        except BaseException:
            _remove(repo)
            raise


def remove_unfinished(repo: Path) -> None:
    """Remove what a process had made of a data repo that died; anything else stays.

    Raises:
        Busy: The process is at work.
    """
    if (repo / UNFINISHED).exists():
        with sole_maker(repo, repo / UNFINISHED):
            if (repo / UNFINISHED).exists():  # else it was finished just before the lock was free
                _remove(repo)


def _remove(repo: Path) -> None:
    """Remove all that is there, what says that it is unfinished last."""
    from shutil import rmtree

    last = (repo / UNFINISHED).parent
    for entry in [each for each in repo.iterdir() if each != last] + [last]:
        rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)
    with suppress(OSError):
        repo.rmdir()
