"""The cost of the hook: its process compared with the start of Python, and pushes with and without it."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import pygit2

from benchmarks import trouble
from benchmarks.race import Row, Target, race
from blastgit import DataRepo
from blastgit.demo import process, refit
from blastgit.plumbing.objects import ZERO
from blastgit.plumbing.process import git_environment
from blastgit.repository.hooks import install_hooks

_NAME = "2026dgt"
PUSHES = 8
"""How many pushes are timed."""


def seconds_for_a_push(folder: Path, **store: Any) -> tuple[float, float]:
    """Return the median time of a push of one revision of 24 files, with the hook and without it.

    Args:
        folder: An empty folder to work in.
        store: The store, as for `DataRepo.init`.
    """
    source = folder / "source.git"
    repo = DataRepo.init(source, simulated=True, **store)
    first = process(_NAME)
    for number in range(PUSHES):
        state = refit(first, seed=number) if number else first
        (folder / f"in{number}").mkdir()
        repo.record(_NAME, *state.write(folder / f"in{number}"))
    times = []
    for name in ("with.git", "without.git"):
        target = folder / name
        DataRepo.init(target, simulated=True, **store)
        _git(target, "fetch", "--quiet", str(source), "+refs/heads/main:refs/heads/main")
        if name == "without.git":
            (target / "hooks/pre-receive").unlink()
        times.append(median(_push(source, target, number) for number in range(PUSHES)))
    return times[0], times[1]


def _push(source: Path, target: Path, number: int) -> float:
    tag = f"refs/tags/{_NAME}/{number}"
    start = time.perf_counter()
    _git(source, "push", "--quiet", "--atomic", str(target), f"{tag}^0:refs/heads/{_NAME}", tag)
    return time.perf_counter() - start


def hooked(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    """Time the hook's process for one revision of 24 files, compared with starting Python with pygit2."""
    yield _raced(folder / "folder", options.rounds, "a folder", Target(3.0))
    if find_spec("moto") is None or find_spec("s3fs") is None:
        return
    with trouble.s3_server() as server, trouble.store_behind_proxy(server) as (store, _):
        yield _raced(folder / "s3", options.rounds, "S3", Target(4.0), **store)


def _raced(folder: Path, rounds: int, where: str, target: Target, **store: Any) -> Row:
    source, pushed = folder / "source.git", folder / "pushed.git"
    repo = DataRepo.init(source, simulated=True, **store)
    repo.record(_NAME, *process(_NAME).write(folder))
    subprocess.run(["git", "clone", "--quiet", "--mirror", source, pushed], env=git_environment(), check=True)
    install_hooks(pushed)
    for ref in (f"refs/heads/{_NAME}", f"refs/tags/{_NAME}/0"):
        _git(pushed, "update-ref", "-d", ref)
    tag, commit = (str(pygit2.Repository(str(source)).revparse_single(name).id) for name in (f"{_NAME}/0", _NAME))
    lines = f"{ZERO} {commit} refs/heads/{_NAME}\n{ZERO} {tag} refs/tags/{_NAME}/0\n".encode()
    # The shell stands for the git that received a push: when it ends, what keeps the locks until then ends, too.
    command = ["sh", "-c", '"$0"; exit $?', str(pushed / "hooks/pre-receive")]

    def check(_: int) -> None:
        subprocess.run(command, input=lines, cwd=pushed, env=_environment(GIT_DIR="."), check=True)

    def start(_: int) -> None:
        subprocess.run([sys.executable, "-c", "import pygit2"], env=_environment(), check=True)

    times = race(start, {"hook": check}, rounds)
    return times["hook"].row(f"the hook: a revision, contents in {where}", "python -c 'import pygit2'", target)


def _environment(**more: str) -> dict[str, str]:
    environment = {key: value for key, value in git_environment(more).items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**environment, "TZ": "UTC"}


def _git(repo: Path, *args: str) -> None:
    subprocess.run(["git", f"--git-dir={repo}", *args], env=_environment(), check=True)
