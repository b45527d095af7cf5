"""Runs benchmarks and prints a table: all by `python -m benchmarks`, some by `python -m benchmarks unchanged …`."""

from __future__ import annotations

import argparse
import compileall
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import blastgit
from benchmarks import samples, speed
from benchmarks.annotations import annotated
from benchmarks.bucket import bucket
from benchmarks.collections import collected
from benchmarks.controls import isolate
from benchmarks.durability import durability
from benchmarks.hook import hooked
from benchmarks.index import indexed
from benchmarks.memory import memory
from benchmarks.plan import planned
from benchmarks.race import Row
from benchmarks.readers import readers
from benchmarks.releases import released
from benchmarks.scale import adopting, scale
from benchmarks.sweep import swept
from benchmarks.table import head, table
from benchmarks.task import task
from benchmarks.web import web

_DESCRIPTION = "Measure blastgit against controls in the same run: they take turns, round by round."


def main() -> int:
    """Measure, print the table, and return 1 if a target is missed."""
    options = _parse()
    folder = Path(tempfile.mkdtemp(prefix="blastgit-bench-", dir=options.folder))
    try:
        rows = _measure(folder, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{head()} of {options.rounds} rounds\n\n{table(rows)}")
    return int(any(row.is_met is False for row in rows))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=_DESCRIPTION)
    parser.add_argument("only", nargs="*", metavar="PART", help=f"of {', '.join(_PARTS)}; all by default")
    parser.add_argument("--rounds", type=int, default=11, help="how often each is timed (default: %(default)s)")
    parser.add_argument("--transients", type=int, default=200, help="how many in a row (default: %(default)s)")
    words = "how many transients the large repo has (default: %(default)s)"
    parser.add_argument("--scale", type=int, default=100_000, help=words)
    words = "how many transients are imported (default: %(default)s)"
    parser.add_argument("--import", dest="import_", type=int, default=2000, help=words)
    words = "how many transients are in the index (default: %(default)s)"
    parser.add_argument("--indexed", type=int, default=50_000, help=words)
    words = "how many transients are planned (default: %(default)s)"
    parser.add_argument("--planned", type=int, default=10_000, help=words)
    words = "how many transients a sweep looks at (default: %(default)s)"
    parser.add_argument("--swept", type=int, default=50_000, help=words)
    words = "how many transients the web interface shows (default: %(default)s)"
    parser.add_argument("--served", type=int, default=100_000, help=words)
    parser.add_argument("--folder", type=Path, help="where to work, with 2.5 GB free (default: $TMPDIR)")
    options = parser.parse_args()
    if unknown := set(options.only) - set(_PARTS):
        parser.error(f"there is no part {min(unknown)}: choose of {', '.join(_PARTS)}")
    return options


_PARTS: dict[str, Callable[[Path, argparse.Namespace], Iterable[Row]]] = {
    "first": lambda folder, options: speed.record_first(folder, samples.first(), options.rounds),
    "many": lambda folder, options: speed.record_many(folder, samples.first(), options.transients),
    "unchanged": lambda folder, options: speed.unchanged(folder, samples.first(), options.rounds),
    "changed": lambda folder, options: speed.two_changed(folder, samples.first(), options.rounds),
    "read": lambda folder, options: speed.read_back(folder, samples.first(), options.rounds),
    "processes": lambda folder, options: speed.processes(folder, samples.first(), options.rounds),
    "started": lambda folder, options: speed.started(folder, samples.first(), options.rounds),
    "durability": durability,
    "hook": hooked,
    "annotations": annotated,
    "collections": collected,
    "releases": released,
    "index": indexed,
    "plan": planned,
    "readers": readers,
    "web": web,
    "adopting": lambda folder, options: adopting(folder, options.import_),
    "scale": lambda folder, options: scale(folder, samples.first(), min(options.rounds, 5), options.scale),
    "bucket": lambda folder, _: bucket(folder),
    "memory": lambda folder, _: memory(folder),
    "task": lambda folder, _: task(folder),
    "sweep": lambda folder, options: swept(folder, options.swept),
}


def _measure(folder: Path, options: argparse.Namespace) -> list[Row]:
    isolate(folder / "home")
    compileall.compile_dir(Path(blastgit.__file__).parent, quiet=1)
    rows: list[Row] = []
    for name, part in _PARTS.items():
        if not options.only or name in options.only:
            print(f"{name} …", file=sys.stderr, flush=True)
            place = folder / name
            place.mkdir()
            rows += part(place, options)
            shutil.rmtree(place)
    return rows


if __name__ == "__main__":
    raise SystemExit(main())
