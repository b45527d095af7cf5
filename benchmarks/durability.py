"""The cost of durability when a call returns, compared with the same without the last sync and git's own syncs."""

from __future__ import annotations

import argparse
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from unittest.mock import patch

from benchmarks import samples
from benchmarks.race import Row, race
from blastgit import DataRepo
from blastgit.annotations.annotation import AnnotationBody
from blastgit.demo import refit
from blastgit.plumbing.process import git_environment
from blastgit.plumbing.refs import _Move

_NAME = samples.NAME
_WITHOUT = "without the last sync"


def durability(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    """Recording, annotating, maintenance and a push, each in two ways."""
    written = samples.write(samples.first(), folder / "in")
    repos: dict[tuple[str, int], DataRepo] = {}

    def prepare(number: int) -> None:
        for old in folder.glob("repo*"):
            shutil.rmtree(old)
        for way in _WAYS:
            repos[way, number] = DataRepo.init(folder / f"repo-{way}{number}", simulated=True)

    def raced(what: str, action: Callable[[DataRepo], object], before: Callable[[DataRepo], object]) -> Row:
        def ready(number: int) -> None:
            prepare(number)
            for way in _WAYS:
                before(repos[way, number])

        def step(number: int, way: str) -> None:
            with _WAYS[way]():
                action(repos[way, number])

        durable = {"durable": lambda number: step(number, "durable")}
        times = race(lambda number: step(number, "without"), durable, options.rounds, prepare=ready)
        return times["durable"].row(what, _WITHOUT)

    def record(repo: DataRepo) -> object:
        return repo.record(_NAME, written.export, written.data)

    def annotate(repo: DataRepo) -> object:
        return repo.annotations.add([f"{_NAME}@0"], AnnotationBody(comment="seen"))

    yield raced("durable: record revision 0", record, lambda _: None)
    yield raced("durable: annotate", annotate, record)
    yield raced("durable: maintain", lambda repo: repo.maintain(), record)
    yield _pushed(folder, options.rounds)


_WAYS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "durable": nullcontext,
    "without": lambda: patch.object(_Move, "confirm", lambda _: None),
}


def _pushed(folder: Path, rounds: int) -> Row:
    """Push one revision after the other, with and without git's settings and the hook."""
    source = DataRepo.init(folder / "source", simulated=True)
    first = samples.first()
    for number in range(rounds + 1):
        (folder / f"state{number}").mkdir()
        source.record(_NAME, *(refit(first, seed=number) if number else first).write(folder / f"state{number}"))
    targets = {way: folder / f"target-{way}" for way in _WAYS}
    for way, target in targets.items():
        DataRepo.init(target, simulated=True, store=source.store_url)
        _git(target, "fetch", "--quiet", str(source.path), "+refs/heads/main:refs/heads/main")
        (target / "hooks/pre-receive").unlink()
        if way == "without":
            (target / "hooks/reference-transaction").unlink()
            _git(target, "config", "core.fsync", "none")

    def push(number: int, way: str) -> None:
        tag = f"refs/tags/{_NAME}/{number}"
        _git(source.path, "push", "--quiet", "--atomic", str(targets[way]), f"{tag}^0:refs/heads/{_NAME}", tag)

    times = race(lambda n: push(n, "without"), {"durable": lambda n: push(n, "durable")}, rounds)
    return times["durable"].row("durable: push of a revision", "without core.fsync and the hook")


def _git(repo: Path, *args: str) -> None:
    subprocess.run(["git", f"--git-dir={repo}", *args], env=git_environment(), check=True)
