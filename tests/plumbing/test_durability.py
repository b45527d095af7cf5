"""What a tag refers to is on disk before the tag exists: nothing is written between the last sync and the refs."""

import errno
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.demo import refit
from blastgit.errors import RepoError
from blastgit.plumbing import durable, refs
from blastgit.plumbing.process import GitError, run_git
from blastgit.repository.hooks import install_hooks

CHECKOUT = Path(__file__).resolve().parents[2]


def stock(repo: Path) -> set[tuple[str, str]]:
    """Return the contents and git objects that are there under their names, or in a quarantine."""
    files = (path for folder in ("objects", "dvc/files") for path in (repo / folder).rglob("*") if path.is_file())
    return {(path.parent.name, path.name) for path in files if path.suffix != ".keep"}  # for the living alone


def test_all_is_on_disk_before_a_ref_moves(repo: Path, sample: Any, record: Any, monkeypatch: pytest.MonkeyPatch):
    synced: list[set[tuple[str, str]]] = []
    moves: list[list[str]] = []
    real_sync, real_git = durable._syncfs, refs.git_in_waiting

    def sync(descriptor: int) -> None:
        real_sync(descriptor)
        synced.append(stock(repo))

    @contextmanager
    def git_in_waiting(*args: Any, first: bytes, **kwargs: Any) -> Iterator[Any]:
        assert b"commit" not in first
        before = run_git(repo, "show-ref")
        with real_git(*args, first=first, **kwargs) as git:

            def checked(rest: bytes) -> bytes:
                assert synced, "the refs move before anything was brought to disk"
                assert stock(repo) <= synced[-1], "something was written after the last sync"
                synced.clear()
                assert run_git(repo, "show-ref") == before, "the refs moved before they were told to"
                for path in (repo / "dvc/files").rglob("*"):
                    if path.is_file():
                        assert hashlib.md5(path.read_bytes()).hexdigest() == path.parent.name + path.name
                        assert path.stat().st_mode & 0o222 == 0
                moves.append([line.split()[1] for line in first.decode().splitlines() if line.startswith("update")])
                return git.go_on(rest)

            yield SimpleNamespace(wait_for=git.wait_for, go_on=checked)

    monkeypatch.setattr(durable, "_syncfs", sync)
    monkeypatch.setattr(refs, "git_in_waiting", git_in_waiting)
    record(repo, sample)
    record(repo, refit(sample, seed=1))
    assert len(synced) == 1, "the refs themselves are not brought to disk"
    assert moves == [[f"refs/tags/2026dgt/{number}", "refs/heads/2026dgt"] for number in (0, 1)]


def test_a_disk_that_fails_to_take_it_in(repo: Path, sample: Any, record: Any, monkeypatch: pytest.MonkeyPatch):
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(durable, "_syncfs", fail)
        with pytest.raises(RepoError, match=r"could not be synced to disk .*check the disk"):
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


def test_verify_advises_what_makes_pushes_durable(repo: Path) -> None:
    assert DataRepo(repo).verify().advice == []
    (repo / "hooks/reference-transaction").unlink()
    report = DataRepo(repo).verify()
    assert report.is_sound
    assert "the hook reference-transaction: `blastgit hooks install" in report.advice[0]
    install_hooks(repo)
    assert DataRepo(repo).verify().advice == []


def test_a_repo_that_was_not_finished_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a power cut leaves it at any instant of `init`."""

    def die(*_: Any, **__: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    path = tmp_path / "repo"
    with monkeypatch.context() as patch:
        patch.setattr("blastgit.plumbing.building.shutil.rmtree", lambda *_, **__: None)
        patch.setattr("blastgit.plumbing.building.sync_file_systems", die)
        with pytest.raises(RepoError, match="cannot be made"):
            DataRepo.init(path, simulated=True)
    (path / ".unfinished/objects").rename(path / "objects")  # it had begun to move what it had made
    with pytest.raises(RepoError, match="is not a data repo"):
        DataRepo(path)
    DataRepo.init(path, simulated=True)
    assert DataRepo(path).verify().is_sound
    assert not (path / ".unfinished").exists()
    with pytest.raises(RepoError, match="not empty"):
        DataRepo.init(path)


def test_an_error_tells_what_holds(repo: Path, sample: Any, record: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real, syncs = durable._syncfs, iter(range(100))

    def fail_second(descriptor: int) -> None:
        if next(syncs) == 1:
            raise OSError(errno.EIO, "Input/output error")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(durable, "_syncfs", fail_second)
        with pytest.raises(RepoError, match=r"2026dgt/0, refs/heads/2026dgt moved .*did not confirm it .*power cut"):
            record(repo, sample)
    assert [each.name for each in DataRepo(repo).list()] == ["2026dgt"]
    assert DataRepo(repo).verify().is_sound


@pytest.mark.parametrize("forever", [False, True])
def test_half_a_move_is_completed(
    repo: Path, sample: Any, record: Any, monkeypatch: pytest.MonkeyPatch, *, forever: bool
) -> None:
    """The tag moves, and git fails at the branch: where the disk takes it then, nobody hears of it."""
    real = refs.git_in_waiting
    calls = iter(range(100))

    @contextmanager
    def half(directory: Path, *words: str, first: bytes, **kwargs: Any) -> Iterator[Any]:
        turn = next(calls)
        lines = [line for line in first.splitlines(keepends=True) if turn or b"refs/heads/" not in line]
        with real(directory, *words, first=b"".join(lines), **kwargs) as git:

            def fail(rest: bytes) -> bytes:
                if turn and not forever:
                    return git.go_on(rest)
                if not turn:
                    git.go_on(rest)
                raise GitError(["update-ref"], "cannot update ref: Input/output error")

            yield SimpleNamespace(wait_for=git.wait_for, go_on=fail)

    with monkeypatch.context() as patch:
        patch.setattr(refs, "git_in_waiting", half)
        if forever:
            with pytest.raises(RepoError, match=r"2026dgt/0 moved .*refs/heads/2026dgt could not be moved"):
                record(repo, sample)
        else:
            record(repo, sample)
    assert DataRepo(repo).verify().is_sound
    assert [each.name for each in DataRepo(repo).list()] == ["2026dgt"]
