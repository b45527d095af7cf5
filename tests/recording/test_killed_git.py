"""Git may be killed at any of its starts, as by the out-of-memory killer: the exit code agrees with the refs."""

import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blastgit import DataRepo
from blastgit.cli.main import main
from blastgit.demo import Sample, refit, reprocess, small
from blastgit.plumbing import process
from blastgit.recording.result import Recorded

pytestmark = pytest.mark.slow

NAME = "2026dgt"
Started = subprocess.Popen[bytes]


class Killed:
    """Kills git number `number`: before it does anything, or when all of its work is done."""

    def __init__(self, number: int, *, late: bool) -> None:
        self.number, self.late, self.started = number, late, 0
        self.real: Any = subprocess.Popen

    def __call__(self, command: list[str], **options: Any) -> Started:
        if command[0] == "git":
            if self.started == self.number:
                script = '"$@"; kill -9 $$' if self.late else "kill -9 $$"
                command = ["sh", "-c", script, "sh", *command]
            self.started += 1
        started: Started = self.real(command, **options)
        return started


@pytest.fixture
def base(tmp_path: Path, repo: Path, states: tuple[Sample, ...], record: Callable[..., Recorded]) -> Path:
    """A repo with two revisions, and beside it what verbs want to bring."""
    record(repo, states[0])
    record(repo, states[2])
    assert main(["-C", str(repo), "stage", "begin", NAME, "host-match"]) == 0
    other = reprocess(states[2], app_version="v1.14.0", export_time="2026-08-01T10:00:00+00:00", seed=4)
    for folder, sample in {"new": refit(states[2], seed=9), "same": other}.items():
        (tmp_path / folder).mkdir()
        sample.write(tmp_path / folder)
    (tmp_path / "tree").mkdir()
    for name in ("2026aa", "2026ab"):
        sample = small(name)
        sample.write(tmp_path / "tree")
    return repo


def commands(inputs: Path) -> dict[str, tuple[list[str], Callable[[Path], bool]]]:
    """Each writing verb: its arguments, and whether a repo has what was asked for."""

    def record(folder: str) -> list[str]:
        export = next((inputs / folder).glob("*.json"))
        return ["record", NAME, "--export", str(export), "--data", str(inputs / folder / "data"), "--timeout", "5"]

    return {
        "record": (record("new"), lambda repo: has(repo, "refs/tags/2026dgt/2") and has(repo, "2026dgt/2", NAME)),
        "reproduction": (record("same"), lambda repo: count(repo, NAME) > 2),
        "annotate": (["annotate", f"{NAME}@1", "-m", "seen"], lambda repo: has(repo, "refs/heads/annotations")),
        "withdraw": (
            ["withdraw", f"{NAME}@0", "--reason", "wrong"],
            lambda repo: has(repo, "main:withdrawn/2026dgt/0.yaml"),
        ),
        "collection": (
            ["collection", "create", "nearby", "--type", "TAGGED", "-m", "x"],
            lambda repo: count(repo, "main") > 1,
        ),
        "drop": (["stage", "drop", NAME], lambda repo: not has(repo, f"refs/workflow/{NAME}")),
        "maintain": (["maintain"], is_packed),
    }


def is_packed(repo: Path) -> bool:
    loose = [*(repo / "refs").rglob("*"), *(repo / "objects").glob("??/*")]
    return not any(path.is_file() for path in loose) and (repo / "objects/info/commit-graphs").exists()


def has(repo: Path, name: str, same: str = "") -> bool:
    found = git(repo, "rev-parse", "--verify", "--quiet", f"{name}^{{}}" if same else name)
    return bool(found) and (not same or found == git(repo, "rev-parse", f"{same}^{{}}"))


def count(repo: Path, branch: str) -> int:
    return int(git(repo, "rev-list", "--count", "--first-parent", branch))


def git(repo: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", repo, *words], capture_output=True, text=True, check=False).stdout.strip()


VERBS = ("record", "reproduction", "annotate", "withdraw", "collection", "drop", "maintain")


@pytest.mark.parametrize("late", [False, True], ids=["at its start", "at its end"])
@pytest.mark.parametrize("verb", VERBS)
def test_the_exit_code_says_what_the_refs_hold(
    verb: str,
    late: bool,
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words, is_there = commands(tmp_path)[verb]
    for number in range(20):
        repo = Path(shutil.copytree(base, tmp_path / f"{verb}{number}", symlinks=True))
        killed = Killed(number, late=late)
        with monkeypatch.context() as patch:
            patch.setattr(process.subprocess, "Popen", killed)
            code = main(["-C", str(repo), *words])
        said = capsys.readouterr().err
        assert (code == 0) is is_there(repo), (number, code, said)
        assert code != 3
        assert code == 0 or said.startswith("blastgit: ")
        assert DataRepo(repo).verify(fast=True).problems == []
        assert left_over(repo) == []
        assert main(["-C", str(repo), *words]) in ((0,) if code else (0, 4, 5, 10))
        assert is_there(repo)
        capsys.readouterr()
        if killed.started <= number:
            assert number > 0
            return
    pytest.fail("git is started more than twenty times")


def left_over(repo: Path) -> list[Path]:
    return [*repo.rglob("*.lock"), *repo.glob("packed-refs.new"), *(repo / "blastgit/locks").iterdir()]


def test_a_killed_git_is_told_in_a_sentence(
    base: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(process.subprocess, "Popen", Killed(0, late=False))
    assert main(["-C", str(base), "annotate", f"{NAME}@1", "-m", "seen"]) == 6
    assert str(signal.strsignal(signal.SIGKILL)) in capsys.readouterr().err
