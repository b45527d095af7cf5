"""Collections: resolving one with 50,000 members, and adding a member to it, compared with one of 50."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.race import Row, Target, race, time_alone
from benchmarks.samples import first
from blastgit import DataRepo
from blastgit.demo import Sample
from blastgit.plumbing.trees import read_blob

MANY, FEW = 50_000, 50
LIMIT = 0.5
"""Seconds that resolving all members may take."""

_SPARE = 100  # datasets that are added one by one


def collected(folder: Path, options: argparse.Namespace) -> Iterator[Row]:
    """Resolve large collections, and add to large and small ones alternately."""
    names = [f"2026x{number:05}" for number in range(MANY + _SPARE)]
    path = _repo(folder, first(), names)
    collections = DataRepo(path).collections
    seconds = time_alone(lambda number: _fill(path, f"bulk{number}", names[:10_000]), min(options.rounds, 3))
    yield Row("add 10,000 datasets to a collection", "", seconds)
    _fill(path, "many", names[:MANY])
    _fill(path, "few", names[:FEW])
    collections.create("night", "RUN", "measure")

    def resolve(_: int) -> None:
        assert len(DataRepo(path).collections.members("many")) >= MANY

    for what, step in {
        "resolve a collection of 50,000": resolve,
        "find one of 50,000 in it": lambda number: DataRepo(path).collections.resolve("many", names[number]),
    }.items():
        seconds = time_alone(step, options.rounds)
        yield Row(what, "0.5 s", seconds, LIMIT, seconds / LIMIT, Target(1.0))
    yield _one_more(path, names[MANY:], options.rounds)
    seconds = time_alone(lambda _: DataRepo(path).collections.members("night"), min(options.rounds, 3))
    yield Row("all that a RUN holds, among 50,000 tags", "", seconds)


def _one_more(path: Path, spare: list[str], rounds: int) -> Row:
    collections, git = DataRepo(path).collections, DataRepo(path).session.repository.git

    def rewrite(number: int) -> None:
        data = read_blob(DataRepo(path).session.repository.main.tree, "collections/many.yaml")
        assert data is not None
        lines = [*data.decode().split("\n"), f"# {number}"]
        git.create_blob("\n".join(lines).encode())

    steps = {
        "rewrite": rewrite,
        "many": lambda number: collections.add("many", [f"{spare[number]}@0"], "one more"),
    }
    times = race(lambda number: collections.add("few", [f"{spare[number]}@0"], "one more"), steps, rounds)
    allowed = [1.5 * few + file for few, file in zip(times["many"].control, times["rewrite"].own, strict=True)]
    ratios = [many / limit for many, limit in zip(times["many"].own, allowed, strict=True)]
    control = "1.5 x as to 50 + its file"
    return Row("add one to 50,000", control, median(times["many"].own), median(allowed), median(ratios), Target(1.0))


def _fill(path: Path, name: str, names: list[str]) -> None:
    collections = DataRepo(path).collections
    collections.create(name, "TAGGED", "measure")
    collections.add(name, [f"{each}@0" for each in names], "measure")


def _repo(folder: Path, sample: Sample, names: list[str]) -> Path:
    """Make a repo in which many tags name the same revision, which is enough for these measurements."""
    path = folder / "repo"
    repo = DataRepo.init(path, simulated=True)
    export, data = sample.write(folder / "in")
    repo.record(sample.name, export, data, run="night")
    git = repo.session.repository.git
    git.references.compress()
    header, *entries = (path / "packed-refs").read_text().splitlines()
    tag = git.references[f"refs/tags/{sample.name}/0"]
    known = dict(zip(entries, [*entries[1:], ""], strict=True))
    rows = {
        entry.partition(" ")[2]: f"{entry}\n{after}" if after.startswith("^") else entry
        for entry, after in known.items()
    }
    rows |= {f"refs/tags/{name}/0": f"{tag.target} refs/tags/{name}/0\n^{tag.peel().id}" for name in names}
    text = "\n".join([header, *(rows[ref] for ref in sorted(ref for ref in rows if ref))])
    (path / "packed-refs").write_text(text + "\n")
    return path
