"""Are exactly the real changes detected? `python -m benchmarks.verdicts` prints a table of correct verdicts.

Mixes of insignificant effects of a run must make no revision. Each significant field, altered in ways that are hard to
notice, must make one with a reason, and with a diff whose two sides look different; so must changes of files. Pairs of
FITS cards must be judged as the standard requires.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import cards
from benchmarks.controls import isolate
from benchmarks.effects import FILES, altered, fields, mixed
from blastgit import DataRepo
from blastgit.content import Tolerance, describe
from blastgit.demo import small
from blastgit.demo.sample import Sample
from blastgit.recording.result import Recorded
from blastgit.revision.rules import default_rules
from blastgit.revision.words import show_briefly

_NAME = "2026dgt"


@dataclass
class Result:
    """The results of one kind of trial: how many there were, and what was wrong in those that failed."""

    what: str
    trials: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"| {self.what} | {self.trials:,} | {len(self.wrong):,} |"


class Trial:
    """A data repo with one revision, with which states are compared; nothing more is written to it."""

    def __init__(self, folder: Path) -> None:
        """Make the repo in a folder, and record revision 0."""
        self.folder = folder
        self.sample = small(_NAME)
        self._repo = DataRepo.init(folder / "repo.git", simulated=True)
        self._repo.record(_NAME, *self.sample.write(folder / "first"))

    def judge(self, sample: Sample) -> Recorded:
        """Return what recording a state would result in."""
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            return self._repo.record(_NAME, *sample.write(Path(place)), dry_run=True)


def mixes(trial: Trial, count: int, seed: int = 1) -> Result:
    """Try mixes of insignificant effects."""
    result = Result("mixes of what says nothing new")
    chance = random.Random(seed)
    for _ in range(count):
        sample, names = mixed(trial.sample, chance)
        found = trial.judge(sample)
        result.trials += 1
        if found.status != "unchanged":
            result.wrong.append(f"{' + '.join(names)}: {found.reason}")
    return result


def alterations(trial: Trial, rounds: int, seed: int = 1, *, at_most: int | None = None) -> Result:
    """Try every significant field with another value, in several rounds."""
    result = Result("fields with another value")
    chance = random.Random(seed)
    every = [each for _ in range(rounds) for each in fields(trial.sample)]
    for each in every if at_most is None else chance.sample(every, at_most):
        found = trial.judge(altered(trial.sample, each, chance))
        result.trials += 1
        result.wrong += [
            f"{each.table}.{each.name} of {each.value!r}: {what}" for what in _complaints(found, each.name)
        ]
    return result


def _complaints(found: Recorded, name: str) -> Iterator[str]:
    if found.status != "recorded":
        yield "no revision"
        return
    if found.reason == "no change":
        yield "no reason"
    if not any(change.field == name for change in found.fields):
        yield "not in the diff"
    for change in found.fields:
        old, new = show_briefly(change.old, change.new, 40)
        if old.strip() == new.strip():
            yield f"{change.path} shown as {old} -> {new}"


def changed_files(trial: Trial) -> Result:
    """Try each change of a file that makes a revision."""
    result = Result("changes of a file")
    for what, (end, change) in FILES.items():
        path = next(path for path in trial.sample.files if path.endswith(end))
        old = trial.sample.files[path]
        new = change(old)
        found = trial.judge(Sample(trial.sample.export, {**trial.sample.files, path: new}))
        result.trials += 1
        if found.status != "recorded" or found.reason == "no change":
            result.wrong.append(f"{what}: {found.status}, {found.reason}")
        elif not _is_shown(trial, path, old, new):
            result.wrong.append(f"{what}: nothing in the diff")
    return result


def _is_shown(trial: Trial, path: str, old: bytes, new: bytes) -> bool:
    with tempfile.TemporaryDirectory(dir=trial.folder) as place:
        sides = Path(place, "old"), Path(place, "new")
        for side, data in zip(sides, (old, new), strict=True):
            side.write_bytes(data)
        difference = describe(path, *sides, Tolerance(limit=default_rules().limit))
    said = difference.summary()
    cards_alike = any(card.shown[0] == card.shown[1] for part in difference.parts for card in part.cards)
    return "no difference" not in said and "largest 0" not in said and not cards_alike


def pairs(count: int, seed: int = 1) -> Result:
    """Try pairs of FITS cards."""
    verdicts, wrong = cards.tally(count, seed)
    return Result("pairs of FITS cards", verdicts.total(), [f"{cards.judge(pair)}: {pair}" for pair in wrong])


def main() -> int:
    """Try all, print the table, and return 1 if a verdict was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts", description=__doc__)
    parser.add_argument("--mixes", type=int, default=420, help="how many mixes (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each field is altered (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=100_000, help="how many pairs of cards (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="what chance begins with (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="blastgit-verdicts-") as folder:
        isolate(Path(folder) / "home")
        trial = Trial(Path(folder))
        results = [
            mixes(trial, options.mixes, options.seed),
            alterations(trial, options.rounds, options.seed),
            changed_files(trial),
            pairs(options.pairs, options.seed),
        ]
    print("| what | tried | wrong |\n|---|---|---|")
    for result in results:
        print(result)
    for result in results:
        for wrong in result.wrong[:20]:
            print(f"wrong: {wrong}")
    return int(any(result.wrong for result in results))


if __name__ == "__main__":
    raise SystemExit(main())
