"""Marks a data repo that is being made from another one, so that nobody uses it before it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blastgit.errors import RepoError
from blastgit.plumbing.building import sole_maker
from blastgit.plumbing.durable import sync_file_systems

UNFINISHED = "blastgit/unfinished"
"""The marker file in the data repo; the process that makes the repo holds `flock` on it."""


def check_finished(repo: Path) -> None:
    """Check that a data repo is complete.

    Raises:
        RepoError: It is still being made, or the process that made it died.
    """
    if (repo / UNFINISHED).exists():
        raise RepoError(
            f"{repo} is not complete: `blastgit subset` is still making it; if that was interrupted, repeat the command"
        )


@contextmanager
def finished_at_the_end(repo: Path) -> Iterator[None]:
    """Mark a data repo as complete at the end, durably. If something fails, it is removed, and can be made again.

    Args:
        repo: The data repo, made with `init(…, is_whole=False)`.

    Raises:
        Busy: Another process is making it.
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
    """Remove an incomplete data repo whose maker died; anything else stays.

    Raises:
        Busy: Its maker is still running.
    """
    if (repo / UNFINISHED).exists():
        with sole_maker(repo, repo / UNFINISHED):
            if (repo / UNFINISHED).exists():  # otherwise it was completed just before the lock was free
                _remove(repo)


def _remove(repo: Path) -> None:
    """Remove everything in the repo, the marker file last."""
    from shutil import rmtree

    last = (repo / UNFINISHED).parent
    for entry in [each for each in repo.iterdir() if each != last] + [last]:
        rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)
    with suppress(OSError):
        repo.rmdir()
