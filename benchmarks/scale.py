"""A repo of 100,000 transients compared with a repo of one; and the speed of importing existing transients."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from benchmarks import controls, samples
from benchmarks.race import Row, Target, race, time_alone
from blastgit.api.repo import DataRepo
from blastgit.demo import Sample, small

NAME = samples.NAME
_LIMIT = 1.5
_PARTS = 4  # of an import, to see whether the last is as fast as the first


def scale(folder: Path, sample: Sample, rounds: int, transients: int) -> Iterator[Row]:
    """Recording and reading one transient in a repo with very many others, and in one without others."""
    states = [sample, samples.two_changed(sample, 1)]
    written = [samples.write(state, folder / f"in{number}") for number, state in enumerate(states)]
    repos = {
        "one": DataRepo.init(folder / "one", simulated=True),
        "many": DataRepo.init(folder / "many", simulated=True),
    }
    for repo in repos.values():
        for state in written:
            repo.record(NAME, state.export, state.data)
    _multiply(folder / "many", transients)
    repos = {name: DataRepo(folder / name) for name in repos}
    new: dict[int, samples.Written] = {}

    def prepare(number: int) -> None:
        for path in folder.glob("new*"):
            shutil.rmtree(path)
        new[number] = samples.write(samples.variant(sample, number), folder / f"new{number}")

    def steps(name: str) -> dict[str, object]:
        repo = repos[name]
        return {
            "record a new transient": lambda n: DataRepo(repo.path).record(new[n].name, new[n].export, new[n].data),
            "record, nothing changed": lambda _: DataRepo(repo.path).record(NAME, written[1].export, written[1].data),
            "log": lambda _: DataRepo(repo.path).log(NAME),
            "get": lambda n: DataRepo(repo.path).get(f"{NAME}@0", folder / f"new-{name}{n}"),
            "diff": lambda _: DataRepo(repo.path).diff(f"{NAME}@0", f"{NAME}@1"),
        }

    one, many = steps("one"), steps("many")
    for what in one:
        times = race(one[what], {"many": many[what]}, rounds, prepare=prepare)  # type: ignore[dict-item, arg-type]
        yield times["many"].row(f"{what}, among {transients:,} others", "the only transient", Target(_LIMIT))
    url = (folder / "many").as_uri()
    for options in (["--no-tags"], []):
        taken = time_alone(lambda n, options=options: _clone(url, folder / f"new-clone{n}{len(options)}", options), 2)  # type: ignore[misc]
        yield Row(f"git clone --single-branch {' '.join(options)}, {transients:,} transients", "", taken)


def _clone(url: str, target: Path, options: list[str]) -> None:
    controls.run("git", "clone", "--quiet", "--branch", f"{NAME}/0", "--single-branch", *options, url, target)


def _multiply(repo: Path, transients: int) -> None:
    """Add transients of two revisions each: with their own commits and tags, but the tree of the existing one."""
    trees = [_git(repo, "rev-parse", f"{NAME}/{number}^{{tree}}") for number in (0, 1)]
    with subprocess.Popen(["git", f"--git-dir={repo}", "fast-import", "--quiet"], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number in range(transients):
            _write_line(process.stdin, f"t{number:06}", trees)
    if process.returncode:
        raise RuntimeError("git fast-import failed")
    controls.run("git", f"--git-dir={repo}", "pack-refs", "--all")


def _write_line(stream: IO[bytes], name: str, trees: Iterable[str]) -> None:
    who = "Benchmark <benchmark@example.org> 1780000000 +0000"
    for number, tree in enumerate(trees):
        message = f"{name} revision {number}: made up\n\nRevision: {number}\nApp-Version: v1\nMarker: revision\n"
        stream.write(
            f"commit refs/heads/{name}\ncommitter {who}\ndata {len(message)}\n{message}\n"
            f"M 040000 {tree} \n\n"
            f"tag {name}/{number}\nfrom refs/heads/{name}\ntagger {who}\ndata 7\nmade up\n".encode()
        )


def _git(repo: Path, *words: str) -> str:
    return subprocess.run(
        ["git", f"--git-dir={repo}", *words], capture_output=True, text=True, check=True
    ).stdout.strip()


def adopting(folder: Path, transients: int) -> Iterator[Row]:
    """Importing a `/data` tree of transients of 25 files of 8 KB: rate, and the last quarter beside the first."""
    DataRepo.init(folder / "repo", simulated=True)
    sample = many_small_files()
    for number in range(transients):
        write_in_tree(sample, f"t{number:06}", folder / "data")
    os.sync()
    ended = [(0, time.perf_counter())]
    repo = DataRepo(folder / "repo", progress=lambda _, count, __: ended.append((count, time.perf_counter())))
    done = repo.import_all(folder / "data")
    taken = time.perf_counter() - ended[0][1]
    if done.skipped or done.adopted != transients:
        raise RuntimeError(f"not what is measured here: {done}")
    each = taken / transients
    rate = f"{1 / each:.0f} a second"
    yield Row(f"import, each of {transients:,} transients: {rate}", "10 ms", each, 0.01, each / 0.01, Target(1.0))
    first, last = (_each(ended, part * transients // _PARTS, transients // _PARTS) for part in (0, _PARTS - 1))
    yield Row("  the last quarter of them", "the first quarter", last, first, last / first, Target(1.25))


def _each(ended: list[tuple[int, float]], before: int, count: int) -> float:
    """Return the seconds for each of `count` transients after the first `before`."""
    start, end = (next(at for done, at in ended if done >= wanted) for wanted in (before, before + count))
    return (end - start) / count


def many_small_files() -> Sample:
    """Return a transient of 25 files of some 8 KB and an export of 45 KB."""
    sample = small(NAME)
    files = {path: (data * (8192 // len(data) + 1))[:8192] for path, data in sample.files.items()}
    extra = {f"sed_output/{NAME}/{NAME}_extra{number}.npz": os.urandom(8192) for number in range(25 - len(files))}
    return Sample(sample.export, {**files, **extra})


def write_in_tree(sample: Sample, name: str, data: Path) -> None:
    """Write a sample under another name, with its own bytes, into a tree like Blast's `/data`."""
    noise = name.encode()
    for path, content in sample.files.items():
        target = data / path.replace(NAME, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content[:-8] + noise.rjust(8))
    exports = data / "exports"
    exports.mkdir(exist_ok=True)
    (exports / f"{name}.json").write_text(sample.text.replace(NAME, name))
