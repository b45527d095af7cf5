"""Does recording take longer than before? `python -m benchmarks.earlier CHECKOUT` races this code against another's.

CHECKOUT is any folder that holds the code to compare with, such as a `git worktree` of an earlier commit. Both run
side by side in processes of their own, on the same data, and take turns round by round.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks import samples
from benchmarks.controls import isolate
from benchmarks.race import Row, Target, race
from benchmarks.table import head, table

_HERE = Path(__file__).parents[1]

_WORKER = """
import json, sys
from pathlib import Path
import blastgit
from blastgit import DataRepo
print(json.dumps(blastgit.__file__), flush=True)
repos = {}
for line in sys.stdin:
    verb, folder, *arguments = json.loads(line)
    if verb == "init":
        repos[folder] = DataRepo.init(folder, simulated=True)
        status = "made"
    else:
        name, *paths = arguments
        status = repos[folder].record(name, *map(Path, paths)).status
    print(json.dumps(status), flush=True)
"""


class Worker:
    """A process that records with the code of a checkout."""

    def __init__(self, checkout: Path) -> None:
        """Start it.

        Raises:
            RuntimeError: it runs other code.
        """
        environment = os.environ | {"PYTHONPATH": str(checkout)}
        command = [sys.executable, "-P", "-c", _WORKER]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        used = Path(self._answer())
        if not used.is_relative_to(checkout):
            raise RuntimeError(f"{used} was used instead of the code in {checkout}")

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.communicate()

    def ask(self, *words: object) -> str:
        """Have it do something, and return what came of it."""
        assert self._process.stdin is not None  # it was asked for
        self._process.stdin.write(json.dumps([str(word) for word in words]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None  # it was asked for
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the code that is measured ended with an error")
        return str(json.loads(line))


@dataclass(frozen=True)
class Sides:
    """The code before and after, what both have recorded when time begins to count, and what they record then."""

    before: Worker
    after: Worker
    earlier: Sequence[samples.Written]
    next: samples.Written

    def row(self, folder: Path, words: str, rounds: int, *, is_first: bool) -> Row:
        """Time how both record a state, each in a repo that is fresh in each round, and in use already."""

        def prepare(number: int) -> None:
            for worker, side in ((self.before, "before"), (self.after, "after")):
                worker.ask("init", folder / f"{side}{number}")
                for state in self.earlier:
                    _record(worker, folder / f"{side}{number}", state)

        def record(worker: Worker, side: str) -> Callable[[int], None]:
            expected = "recorded" if is_first else "unchanged"
            return lambda number: _record(worker, folder / f"{side}{number}", self.next, expected)

        times = race(record(self.before, "before"), {"after": record(self.after, "after")}, rounds, prepare=prepare)
        return times["after"].row(words, "the earlier code", Target(1.05))


def _record(worker: Worker, repo: Path, state: samples.Written, expected: str | None = None) -> None:
    found = worker.ask("record", repo, state.name, state.export, state.data)
    if expected not in (None, found):
        raise RuntimeError(f"not what is measured here: {found}")


def earlier(folder: Path, checkout: Path, rounds: int) -> Iterator[Row]:
    """Revision 0, the same export again, and other runs on the same images: this code against an earlier one."""
    sample = samples.first()
    states = {
        "record revision 0": sample,
        "  the very same export again": sample,
        "  reprocessed, nothing changed": samples.reprocessed(sample, 5),
        "  with noise in an HDF5 file": samples.noisy(sample, 6),
    }
    other = samples.write(samples.variant(sample, 1), folder / "other")  # which brings what transients share
    first = samples.write(sample, folder / "first")
    with Worker(checkout) as before, Worker(_HERE) as after:
        for number, (words, state) in enumerate(states.items()):
            place = folder / str(number)
            place.mkdir()
            history = [other] if number == 0 else [other, first, first]
            sides = Sides(before, after, history, samples.write(state, folder / f"in{number}"))
            yield sides.row(place, words, rounds, is_first=number == 0)
            shutil.rmtree(place)


def main() -> int:
    """Measure, print the table, and return 1 if something takes longer than before."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.earlier", description=__doc__)
    parser.add_argument("checkout", type=Path, help="the folder of the code to compare with")
    parser.add_argument("--rounds", type=int, default=21, help="how often each is timed (default: %(default)s)")
    options = parser.parse_args()
    checkout = options.checkout.resolve()
    for code in (_HERE, checkout):
        compileall.compile_dir(code / "blastgit", quiet=1)
    with tempfile.TemporaryDirectory(prefix="blastgit-bench-") as name:
        folder = Path(name)
        isolate(folder / "home")
        rows = list(earlier(folder, checkout, options.rounds))
    print(f"{head()} of {options.rounds} rounds\n\n{table(rows)}")
    return int(any(row.is_met is False for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
