"""Kills every writing verb at random instants: together with its git, or only its git."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from benchmarks.reliability.bench import folder
from benchmarks.reliability.row import Row, turns
from benchmarks.reliability.scene import Scene, Verb, apart, end_of, in_child
from benchmarks.reliability.verbs import VERBS


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """Kill groups of processes, and only git."""
    for git_alone in (False, True):
        with folder() as place:
            turn = turns(options.kills // 2 if git_alone else options.kills, options.minutes)
            yield sweep(place, turn, git_alone=git_alone, seed=options.seed)


def sweep(place: Path, chances: Iterable[int], *, git_alone: bool, seed: int = 2) -> Row:
    """Kill the verbs in turn, at instants up to a little more than the time that each takes."""
    (place / "in").mkdir()
    (place / "now").mkdir()
    scene, dice = Scene(place / "now", place / "in"), random.Random(seed)
    scene.make()
    shutil.copytree(place / "now", place / "kept", symlinks=True)
    longest = {verb.name: 1.2 * _time(scene, verb, place) for verb in VERBS}
    tried = survived = met = 0
    for turn in chances:
        verb = VERBS[turn % len(VERBS)]
        _restore(place)
        pid = in_child(lambda verb=verb: verb.run(scene), place / "said")  # type: ignore[misc]
        time.sleep(dice.uniform(0, longest[verb.name]))
        met += _kill(pid, git_alone=git_alone)
        code = end_of(pid)
        problem = apart(lambda verb=verb, code=code: scene.problem(verb, acknowledged=code == 0))  # type: ignore[misc]
        if code in (3, 99):
            problem = problem or f"it ended with code {code}: {(place / 'said').read_text()[-300:]}"
        if problem:
            print(f"{verb.name}, kill {turn}: {problem}", file=sys.stderr, flush=True)
        tried, survived = tried + 1, survived + (not problem)
    what = "kill -9 of git alone, all writing verbs" if git_alone else "kill -9 of groups, all writing verbs"
    return Row(what, tried, survived, f"{met} met something at work" + ("; locks left: 0" if survived == tried else ""))


def _time(scene: Scene, verb: Verb, place: Path) -> float:
    _restore(place)
    begin = time.monotonic()
    end_of(in_child(lambda: verb.run(scene), place / "said"))
    return time.monotonic() - begin


def _restore(place: Path) -> None:
    shutil.rmtree(place / "now")
    shutil.copytree(place / "kept", place / "now", symlinks=True)


def _kill(group: int, *, git_alone: bool) -> bool:
    """Kill a verb and its git, or the next git that it starts; return whether there was one."""
    with suppress(OSError):  # it has ended
        if not git_alone:
            os.killpg(group, signal.SIGKILL)
            return True
        while not (children := Path(f"/proc/{group}/task/{group}/children").read_text().split()):
            if "Z" in Path(f"/proc/{group}/stat").read_text().rpartition(")")[2][:3]:
                return False
        for pid in children:
            os.kill(int(pid), signal.SIGKILL)
        return True
    return False
