"""What a tag promises is on disk before the tag is there: nothing is written between the last sync and the refs."""

import errno
import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import refit
from blastgit.errors import RepoError
from blastgit.plumbing import durable, refs
from blastgit.plumbing.process import run_git

CHECKOUT = Path(__file__).resolve().parents[2]


def stock(repo: Path) -> set[str]:
    """Return the contents and git objects that are there under their names."""
    kept = (repo / "objects", repo / "dvc/files")
    return {str(path) for folder in kept for path in folder.rglob("*") if path.is_file() and "tmp" not in path.name}


def test_all_is_on_disk_before_a_ref_moves(repo: Path, sample: Any, record: Any, monkeypatch: pytest.MonkeyPatch):
    synced: list[set[str]] = []
    moves: list[list[str]] = []
    real_sync, real_git = durable._syncfs, refs.git_in_waiting

    def sync(descriptor: int) -> None:
        real_sync(descriptor)
        synced.append(stock(repo))

    @contextmanager
    def git_in_waiting(*args: Any, first: bytes, **kwargs: Any) -> Iterator[Callable[[bytes], bytes]]:
        assert b"commit" not in first
        before = run_git(repo, "show-ref")
        with real_git(*args, first=first, **kwargs) as go_on:

            def checked(rest: bytes) -> bytes:
                assert synced, "the refs move before anything was brought to disk"
                assert stock(repo) <= synced.pop(), "something was written after the last sync"
                assert run_git(repo, "show-ref") == before, "the refs moved before they were told to"
                for path in (repo / "dvc/files").rglob("*"):
                    if path.is_file():
                        assert hashlib.md5(path.read_bytes()).hexdigest() == path.parent.name + path.name
                        assert path.stat().st_mode & 0o222 == 0
                moves.append([line.split()[1] for line in first.decode().splitlines() if line.startswith("update")])
                return go_on(rest)

            yield checked

    monkeypatch.setattr(durable, "_syncfs", sync)
    monkeypatch.setattr(refs, "git_in_waiting", git_in_waiting)
    record(repo, sample)
    record(repo, refit(sample, seed=1))
    assert moves == [[f"refs/tags/2026dgt/{number}", "refs/heads/2026dgt"] for number in (0, 1)]


def test_a_disk_that_fails_to_take_it_in(repo: Path, sample: Any, record: Any, monkeypatch: pytest.MonkeyPatch):
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(durable, "_syncfs", fail)
        with pytest.raises(RepoError, match=r"could not be brought to disk .*see to the disk"):
            record(repo, sample)
    assert DataRepo(repo).list() == []
    assert list((repo / "refs").rglob("*.lock")) == []
    assert record(repo, sample).revision == 0
    assert DataRepo(repo).verify().problems == []


def test_no_database_is_on_the_way_of_a_writer(repo: Path, sample: Any, tmp_path: Path):
    """A database's lock would be one for all writers."""
    (tmp_path / "in").mkdir()
    export, data = sample.write(tmp_path / "in")
    code = (
        "import sys; from pathlib import Path; from blastgit import DataRepo; "
        f"DataRepo({str(repo)!r}).record('2026dgt', Path({str(export)!r}), Path({str(data)!r})); "
        "print(sorted({'sqlite3', 'duckdb', 'dvc', 'dvc_data'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
