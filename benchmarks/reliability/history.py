"""Records the history of calls by many writers and readers, with kills and clean-up meanwhile, and checks it.

As in Jepsen, each caller logs its calls and their answers outside the repo, and in the end the history must be
consistent. A killed call may or may not have taken effect; an answered call has taken effect exactly once, permanently.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.reliability.bench import Bench, Inputs, folder
from benchmarks.reliability.row import Row
from blastgit import BlastgitError, DataRepo
from blastgit.demo import refit, small

_TIDYING = (("gc", "--quiet", "--prune=now"), ("repack", "-q", "-a", "-d"), ("prune", "--expire=now"))
Revisions = Mapping[str, str]
"""The commit of each revision, by its name such as `2026dgt@1`."""


@dataclass(frozen=True)
class Call:
    """A call and its answer.

    Attributes:
        kind: "record" or "read".
        begin: When it started, in seconds of the clock that all processes share.
        end: When the answer came.
        seen: The revisions in the answer: the one that was made, or all that existed.
    """

    kind: str
    begin: float
    end: float
    seen: Revisions = field(default_factory=dict)


def rows(options: argparse.Namespace) -> Iterator[Row]:
    """Make a history and check it."""
    with folder() as place:
        calls, problems = make_history(place, writers=options.history, each=12, kills=4 * options.history, seed=1)
    for problem in problems:
        print(problem)
    what = f"{options.history} writers beside gc, maintain, kills"
    yield Row(what, len(calls), len(calls) - len(problems), f"{len(problems)} answers that were not true")


def judge(calls: Sequence[Call], final: Revisions) -> list[str]:
    """Return the inconsistencies of a history, as sentences.

    Args:
        calls: All calls that were answered.
        final: The revisions in the repo in the end.
    """
    made = sorted((call for call in calls if call.kind == "record"), key=lambda call: call.end)
    return [
        *_lost(calls, final),
        *_given_twice(made),
        *_out_of_order(made),
        *_forgotten(sorted(calls, key=lambda call: call.begin)),
    ]


def _lost(calls: Iterable[Call], final: Revisions) -> Iterator[str]:
    for call in calls:
        for name, commit in call.seen.items():
            if final.get(name) != commit:
                yield f"{name} was {commit} for a {call.kind}, and is {final.get(name, 'gone')}"


def _given_twice(made: Iterable[Call]) -> Iterator[str]:
    seen: set[str] = set()
    for call in made:
        for name in call.seen:
            if name in seen:
                yield f"{name} was given to two recordings"
            seen.add(name)


def _out_of_order(made: Sequence[Call]) -> Iterator[str]:
    for turn, call in enumerate(made):
        for later in made[turn + 1 :]:
            for (name, number), (other, next_number) in zip(_numbers(call), _numbers(later), strict=False):
                if name == other and call.end < later.begin and number >= next_number:
                    yield f"{name}@{next_number} was begun after {name}@{number} was there"


def _numbers(call: Call) -> list[tuple[str, int]]:
    pairs = (name.split("@") for name in call.seen)
    return [(name, int(number)) for name, number in pairs]


def _forgotten(calls: Sequence[Call]) -> Iterator[str]:
    """Yield the revisions that a read missed although an earlier answer had named them."""
    for read in (call for call in calls if call.kind == "read"):
        known = {name for call in calls if call.end < read.begin for name in call.seen}
        for name in sorted(known - read.seen.keys()):
            yield f"{name} was there before a read, and it did not see it"


def make_history(place: Path, *, writers: int, each: int, kills: int, seed: int) -> tuple[list[Call], list[str]]:
    """Let writers and readers use a repo while some are killed, git cleans up, and maintenance runs.

    Args:
        place: An empty folder.
        writers: How many write at once, two to a transient.
        each: How many states each of them has.
        kills: How many writers, or their git, are killed; each goes on with its next state.
        seed: Of the instants.

    Returns:
        The calls that were answered, and what is wrong with them or with the repo.
    """
    bench, dice = Bench(place), random.Random(seed)
    logs = place / "logs"
    logs.mkdir()
    names = [f"2026h{number // 2:02}" for number in range(writers)]
    states = {
        number: [bench.write(refit(small(name, seed=number // 2), seed=100 * number + i)) for i in range(each)]
        for number, name in enumerate(names)
    }

    def write(number: int) -> Callable[[], None]:
        return lambda: _write(bench.repo, names[number], states[number], logs / f"w{number}")

    running = {_start(write(number)): number for number in range(writers)}
    helpers = [_start(lambda: _read(bench.repo, logs / "r")), _start(lambda: _tidy(bench.repo))]
    while running:
        time.sleep(dice.uniform(0.01, 0.2))
        if kills:
            kills -= 1
            _kill(dice.choice(list(running)), git_alone=dice.random() < 0.5)
        for pid in [pid for pid in running if os.waitpid(pid, os.WNOHANG)[0]]:
            number = running.pop(pid)
            if _done(logs / f"w{number}") < each:
                running[_start(write(number))] = number
    for pid in helpers:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    calls = [Call(**json.loads(line)) for log in sorted(logs.glob("[rw]*")) for line in log.read_text().splitlines()]
    return calls, [*judge(calls, _revisions(bench.repo)), *([] if bench.is_whole() else ["the repo is not whole"])]


def _write(repo: Path, name: str, states: Sequence[Inputs], log: Path) -> None:
    count = log.with_name(f"begun-{log.name}")
    for turn in range(_done(log), len(states)):
        count.write_text(str(turn + 1))
        begin = time.monotonic()
        try:
            made = DataRepo(repo).record(name, *states[turn])
        except BlastgitError:
            continue  # it is said not to have happened, and may have
        if made.status == "recorded" and made.commit is not None:
            _note(log, Call("record", begin, time.monotonic(), {f"{name}@{made.revision}": made.commit}))


def _done(log: Path) -> int:
    """Return how many states a writer has begun with: what a kill met may be there, and is not tried again."""
    count = log.with_name(f"begun-{log.name}")
    return int(count.read_text() or "0") if count.exists() else 0


def _read(repo: Path, log: Path) -> None:
    while True:
        begin = time.monotonic()
        seen = _revisions(repo)
        _note(log, Call("read", begin, time.monotonic(), seen))


def _tidy(repo: Path) -> None:
    for turn in range(1_000_000):
        with suppress(BlastgitError):
            DataRepo(repo).maintain()
        subprocess.run(["git", "-C", repo, *_TIDYING[turn % len(_TIDYING)]], check=False, capture_output=True)


def _revisions(repo: Path) -> dict[str, str]:
    opened = DataRepo(repo)
    return {
        f"{each.name}@{entry.revision.number}": entry.revision.id
        for each in opened.list()
        for entry in opened.log(each.name)
    }


def _note(log: Path, call: Call) -> None:
    with log.open("a") as file:
        file.write(json.dumps(asdict(call)) + "\n")


def _start(action: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        with suppress(OSError):  # it has ended already
            os.setpgid(pid, pid)
        return pid
    code = 1
    try:
        os.setpgid(0, 0)
        action()
        code = 0
    finally:
        os._exit(code)


def _kill(group: int, *, git_alone: bool) -> None:
    with suppress(ProcessLookupError):
        if not git_alone:
            os.killpg(group, signal.SIGKILL)
            return
        for pid in _children(group):
            os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
