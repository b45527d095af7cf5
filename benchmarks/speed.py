"""The speed of recording, getting and comparing, through the API and as whole processes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import controls, samples
from benchmarks.controls import ByHand, blastgit
from benchmarks.race import Row, Target, race, time_alone
from blastgit.api.repo import DataRepo
from blastgit.demo import Sample, add_alias

NAME = samples.NAME

IMPORT = 'python -c "import pygit2"'
"""The control for processes that need git's objects."""


def record_first(folder: Path, sample: Sample, rounds: int) -> Iterator[Row]:
    """Revision 0 of one transient, in a fresh repo each time."""
    written = samples.write(sample, folder / "in")
    repos: dict[int, DataRepo] = {}

    def prepare(number: int) -> None:
        _clear(folder, "repo*", "copy*")
        repos[number] = DataRepo.init(folder / f"repo{number}", simulated=True)

    files = written.files
    times = race(
        lambda number: controls.hash_and_write(files, folder / f"copy{number}"),
        {"record": lambda number: repos[number].record(NAME, written.export, written.data)},
        rounds,
        prepare=prepare,
    )
    yield times["record"].row("record revision 0", "read, hash, write, sync", Target(1.3))


def record_many(folder: Path, sample: Sample, count: int) -> Iterator[Row]:
    """Revision 0 of many transients in a row, all in one repo; then reading from it."""
    repo = DataRepo.init(folder / "repo", simulated=True)
    written: dict[int, samples.Written] = {}

    def prepare(number: int) -> None:
        _clear(folder, "copy*", "in*")
        written[number] = samples.write(samples.variant(sample, number), folder / f"in{number}")

    def record(number: int) -> object:
        one = written[number]
        return repo.record(one.name, one.export, one.data)

    times = race(
        lambda number: controls.hash_and_write(written[number].files, folder / f"copy{number}"),
        {"record": record},
        count,
        prepare=prepare,
    )
    yield times["record"].row(f"record revision 0, {count} transients in a row", "the same", Target(1.3))
    some = written[count].name
    yield Row(f"list {count} transients", "", time_alone(lambda _: repo.list(), 9))
    yield Row(f"log of one of {count}", "", time_alone(lambda _: repo.log(some), 9))
    for words in (["list"], ["log", some]):
        seconds = time_alone(lambda _, words=words: blastgit("-C", repo.path, *words), 5)  # type: ignore[misc]
        yield Row(f"blastgit {words[0]}, the same, a process", "", seconds)


def unchanged(folder: Path, sample: Sample, rounds: int) -> Iterator[Row]:
    """Another run on the same images: the first one leaves a marker, later ones and the same export leave nothing."""
    written = samples.write(sample, folder / "in")
    files = written.files
    repos: dict[int, DataRepo] = {}
    again: dict[tuple[int, str], samples.Written] = {}
    seeds = {"first": 0, "later": 1000, "noisy": 2000}

    def prepare(number: int) -> None:
        _clear(folder, "repo*", "again*")
        repos[number] = DataRepo.init(folder / f"repo{number}", simulated=True)
        repos[number].record(NAME, written.export, written.data)
        for kind, make in (("first", samples.reprocessed), ("later", samples.reprocessed), ("noisy", samples.noisy)):
            again[number, kind] = samples.write(make(sample, seeds[kind] + number), folder / f"again-{kind}{number}")

    def record(number: int, kind: str) -> None:
        one = again.get((number, kind), written)
        found = repos[number].record(NAME, one.export, one.data)
        if found.status != "unchanged" or (found.marker is not None) != (kind == "first"):
            raise RuntimeError(f"not what is measured here: {found}")

    times = race(
        lambda _: controls.md5sum(files),
        {kind: lambda number, kind=kind: record(number, kind) for kind in ("same", *seeds)},  # type: ignore[misc]
        rounds,
        prepare=prepare,
    )
    yield times["later"].row("reprocess, nothing changed", "md5sum, a process", Target(1.0))
    yield times["same"].row("  the very same export again", "the same", Target(1.0))
    yield times["first"].row("  the first time: leaves a marker, durably", "the same")
    yield times["noisy"].row("  with noise in an HDF5 file: compares it", "the same")


def two_changed(folder: Path, sample: Sample, rounds: int) -> Iterator[Row]:
    """Two images and two fluxes differ: a new revision after the previous one, by API, process and hand."""
    start = samples.write(sample, folder / "in")
    repo = DataRepo.init(folder / "repo", simulated=True)
    repo.record(NAME, start.export, start.data)
    hand = ByHand(folder / "hand")
    hand.checkout("other")
    hand.add(((str(path.relative_to(start.data)), path) for path in start.files), start.export, "first")
    changed: dict[int, samples.Written] = {}

    def prepare(number: int) -> None:
        _clear(folder, "changed*")
        changed[number] = samples.write(samples.two_changed(sample, number + 1), folder / f"changed{number}")
        hand.checkout("main")

    def by_hand(number: int) -> None:
        one = changed[number]
        two = [(str(path.relative_to(one.data)), path) for path in samples.paths_of_two(one)]
        hand.checkout("other")
        hand.add(two, one.export, f"r{number}")

    def by_api(number: int) -> None:
        found = repo.record(NAME, changed[number].export, changed[number].data)
        if found.status != "recorded" or len(found.files) != 2:
            raise RuntimeError(f"not what is measured here: {found}")

    times = race(by_hand, {"api": by_api}, rounds, prepare=prepare)
    yield times["api"].row("record, two files changed", "by hand: git and dvc add", Target(15, faster=True))


def read_back(folder: Path, sample: Sample, rounds: int) -> Iterator[Row]:
    """Getting a revision, and comparing two."""
    repo = DataRepo.init(folder / "repo", simulated=True)
    for number, state in enumerate((sample, samples.two_changed(sample, 1))):
        written = samples.write(state, folder / f"in{number}")
        repo.record(NAME, written.export, written.data)
    getting = race(
        lambda number: controls.clone_and_pull(repo.path, f"{NAME}/0", folder / f"clone{number}"),
        {
            "api": lambda number: repo.get(f"{NAME}@0", folder / f"api{number}"),
            "process": lambda number: blastgit("-C", repo.path, "get", f"{NAME}@0", folder / f"process{number}"),
        },
        rounds,
        prepare=lambda _: _clear(folder, "clone*", "api*", "process*"),
    )
    yield getting["api"].row("get a revision", "git clone, dvc pull", Target(5, faster=True))
    yield getting["process"].row("  as a process", "the same", Target(5, faster=True))
    full = folder / "full"
    controls.run("git", "clone", "--quiet", "--branch", NAME, repo.path.as_uri(), full)
    comparing = race(
        lambda _: controls.dvc_diff(full, f"{NAME}/0", f"{NAME}/1"),
        {
            "api": lambda _: repo.diff(f"{NAME}@0", f"{NAME}@1"),
            "process": lambda _: blastgit("-C", repo.path, "diff", f"{NAME}@0", f"{NAME}@1"),
        },
        rounds,
    )
    yield comparing["api"].row("diff two revisions, contents too", "dvc diff", Target(10, faster=True))
    yield comparing["process"].row("  as a process", "the same", None)


def processes(folder: Path, sample: Sample, rounds: int) -> Iterator[Row]:
    """`blastgit record` from start to end of the process, one state after another in one repo."""
    repo = folder / "repo"
    states: dict[tuple[int, str], samples.Written] = {}
    kinds = {"first": sample, "same": sample}

    def prepare(number: int) -> None:
        _clear(folder, "repo*", "in*")
        DataRepo.init(repo, simulated=True)
        later = {"marker": samples.reprocessed(sample, number), "changed": samples.two_changed(sample, number + 1)}
        for kind, state in (kinds | later).items():
            states[number, kind] = samples.write(state, folder / f"in-{kind}{number}")

    def record(number: int, kind: str) -> None:
        one = states[number, kind]
        blastgit("-C", repo, "record", NAME, "--export", one.export, "--data", one.data)

    said: dict[str, tuple[str, Target | None]] = {
        "first": ("blastgit record, revision 0", Target(2.5)),
        "same": ("blastgit record, the very same export", Target(1.8)),
        "marker": ("blastgit record, nothing changed, marker", None),
        "changed": ("blastgit record, two files changed", None),
    }
    times = race(
        lambda _: controls.run(sys.executable, "-c", "import pygit2"),
        {kind: lambda number, kind=kind: record(number, kind) for kind in said},  # type: ignore[misc]
        rounds,
        prepare=prepare,
    )
    for kind, (words, target) in said.items():
        yield times[kind].row(words, IMPORT, target)


def started(folder: Path, sample: Sample, rounds: int) -> Iterator[Row]:
    """Commands that read, from start to end of the process: most of each is loading what it needs."""
    named, changed = folder / "named", folder / "changed"
    for place, second in ((named, add_alias(sample, "AT 2026dgt")), (changed, samples.two_changed(sample, 1))):
        repo = DataRepo.init(place, simulated=True)
        for number, state in enumerate((sample, second)):
            written = samples.write(state, folder / f"in-{place.name}{number}")
            repo.record(NAME, written.export, written.data)
    commands: dict[str, tuple[list[str | Path], Target]] = {
        "log": (["-C", named, "log", NAME], Target(1.8)),
        "list": (["-C", named, "list"], Target(1.8)),
        "get": (["-C", named, "get", f"{NAME}@0", folder / "got"], Target(1.8)),
        "diff": (["-C", changed, "diff", f"{NAME}@0", f"{NAME}@1"], Target(2.2)),
    }
    times = race(
        lambda _: controls.run(sys.executable, "-c", "import pygit2"),
        {name: lambda _, words=words: blastgit(*words) for name, (words, _) in commands.items()},  # type: ignore[misc]
        rounds,
        prepare=lambda _: _clear(folder, "got"),
    )
    for name, (_, target) in commands.items():
        yield times[name].row(f"blastgit {name}", IMPORT, target)


def _clear(folder: Path, *patterns: str) -> None:
    for pattern in patterns:
        for path in folder.glob(pattern):
            shutil.rmtree(path)
