"""The process that `faults.py` starts with the library of faults. It prints one JSON object per verb."""

from __future__ import annotations

import json
import mmap
import os
import shutil
import struct
import sys
from collections.abc import Iterator
from dataclasses import asdict
from errno import EIO, ENOSPC, errorcode
from itertools import product
from pathlib import Path

from benchmarks.reliability.row import Row
from benchmarks.reliability.scene import Scene, Verb, end_of, in_child
from benchmarks.reliability.verbs import VERBS

_FIELDS = struct.Struct("6i")
_WAYS = tuple(product((EIO, ENOSPC), (False, True)))


class Plan:
    """The page of memory that tells the library which operations shall fail; see `faults.c`."""

    def __init__(self, path: str) -> None:
        with open(path, "r+b") as file:  # noqa: PTH123
            self._page = mmap.mmap(file.fileno(), 4096)

    def arm(self, nth: int, error: int = 0, *, for_good: bool = False) -> None:
        """Start counting, and make an operation fail; with 0 none fails."""
        self._page[:] = bytes(4096)
        self._page[: _FIELDS.size] = _FIELDS.pack(1, error, for_good, nth, 0, 0)

    def disarm(self) -> tuple[int, str]:
        """Stop counting; return how many operations there were, and which was the first to fail."""
        count = _FIELDS.unpack(self._page[: _FIELDS.size])[4]
        self._page[:4] = bytes(4)
        return count, self._page[_FIELDS.size : _FIELDS.size + 500].split(b"\0")[0].decode("utf-8", "replace")


class Trials:
    """Runs trials, each on a new copy of the same repo."""

    def __init__(self, work: Path, plan: Plan) -> None:
        self._work, self._plan = work, plan
        self._place, self._kept = work / "place", work / "kept"
        self._place.mkdir()
        (work / "inputs").mkdir()
        self._scene = Scene(self._place, work / "inputs")
        self._scene.make()
        shutil.copytree(self._place, self._kept)

    def row(self, verb: Verb, count: int) -> Row:
        """Try one verb."""
        whole, _, problem = self._try(verb, 0)
        if problem:
            return Row(f"faults: {verb.name}", 1, 0, f"it fails without any fault: {problem}")
        tried = survived = acknowledged = 0
        for nth, (error, for_good) in _chosen(whole, count):
            _, code, problem = self._try(verb, nth, error, for_good=for_good)
            tried, survived, acknowledged = tried + 1, survived + (not problem), acknowledged + (code == 0)
            if problem:
                way = f"{errorcode[error]} {'for good' if for_good else 'once'}"
                print(f"{verb.name}, operation {nth} of {whole}, {way}: {problem}", file=sys.stderr, flush=True)
        return Row(f"faults: {verb.name}", tried, survived, f"{whole} write operations, {acknowledged} acknowledged")

    def _try(self, verb: Verb, nth: int, error: int = 0, *, for_good: bool = False) -> tuple[int, int, str]:
        """Return how many operations there were, the exit code, and what is wrong afterwards."""
        scene, said = self._scene, self._work / "said"
        shutil.rmtree(self._place, ignore_errors=True)
        shutil.copytree(self._kept, self._place)
        self._plan.arm(nth, error, for_good=for_good)
        code = end_of(in_child(lambda: verb.run(scene), said))
        operations, what = self._plan.disarm()
        problem = self._judge(verb, code, nth)
        return operations, code, f"{problem} (failed: {what}; {code}: {said.read_text()[-700:]})" if problem else ""

    def _judge(self, verb: Verb, code: int, nth: int) -> str:
        if code in (3, 99, -1):
            log = Path(os.environ["XDG_CACHE_HOME"]) / "blastgit/crash.log"
            return f"a failure that was not expected: {log.read_text()[-1500:] if log.exists() else ''}"
        if nth == 0 and code != 0:
            return "refused"
        found = self._scene.problem(verb, acknowledged=code == 0)
        if found or code == 0:
            return found
        again = end_of(in_child(lambda: verb.run(self._scene), self._work / "again"))  # the disk has been mended
        if again not in (0, 6, 10, 12, 4) and not verb.holds(self._scene):
            return f"tried again, it ends with {again}: {(self._work / 'again').read_text()[-300:]}"
        return self._scene.problem(verb, acknowledged=again == 0)


def _chosen(whole: int, count: int) -> Iterator[tuple[int, tuple[int, bool]]]:
    """Yield which operations shall fail, and how."""
    if not count:
        yield from product(range(1, whole + 1), _WAYS)
        return
    count = min(count, whole)
    for turn in range(count):
        yield 1 + turn * whole // count, _WAYS[turn % len(_WAYS)]


def main() -> None:
    """Try the verbs of the command line, or all."""
    work, count, *names = sys.argv[1:]
    trials = Trials(Path(work), Plan(os.environ["BLASTGIT_FAULTS"]))
    for verb in VERBS:
        if not names or verb.name in names:
            print(json.dumps(asdict(trials.row(verb, int(count)))), flush=True)


if __name__ == "__main__":
    main()
