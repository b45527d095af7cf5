"""What the hook costs: one revision after the other is pushed, with it and without it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from statistics import median
from typing import Any

from blastgit import DataRepo
from blastgit.demo import process, refit
from blastgit.plumbing.process import git_environment

_NAME = "2026dgt"
PUSHES = 8
"""How many pushes are timed."""


def seconds_for_a_push(folder: Path, **store: Any) -> tuple[float, float]:
    """Return the median time of a push of one revision of 24 files, with the hook and without it.

    Args:
        folder: An empty folder to work in.
        store: Where contents go, as `DataRepo.init` takes it.
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


def _git(repo: Path, *args: str) -> None:
    environment = {key: value for key, value in git_environment().items() if key != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(["git", f"--git-dir={repo}", *args], env={**environment, "TZ": "UTC"}, check=True)
