"""`blastgit sql QUERY`."""

from __future__ import annotations

import argparse
import csv
import json
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, drawn_progress, open_repo, plural, print_table
from blastgit.errors import UsageError

if TYPE_CHECKING:
    from blastgit.index.build import Updated
    from blastgit.index.opened import Limits, Result
    from blastgit.index.room import Index

_SPARE = 4_000_000_000  # bytes of addresses that a process needs beside what a query uses


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("query", help="a SELECT in DuckDB's SQL; - reads it from stdin")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print CSV")
    form.add_argument("--jsonl", action="store_true", help="print JSON lines")
    add_json(form)  # type: ignore[arg-type]
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N", help="print up to N rows (%(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=60.0, metavar="S", help="stop it after S seconds (%(default)s)"
    )
    parser.add_argument("--memory", type=float, default=2.0, metavar="GB", help="it may use so much (%(default)s)")
    parser.add_argument("--as-is", action="store_true", help="do not look whether the index is up to date")
    parser.epilog = """\
`blastgit index --tables` lists the tables. A query can read them, and nothing else: no file, no network.
"""


def run(options: argparse.Namespace) -> int:
    """Answer a query."""
    from blastgit.index.opened import Limits
    from blastgit.index.write import DamagedIndex

    if options.rows < 0 or not options.seconds > 0 or not options.memory > 0:
        raise UsageError("--rows, --seconds and --memory are positive numbers")
    limits = Limits(min(options.seconds, 1e6), int(min(options.memory, 1e5) * 1e9), options.rows)
    text = sys.stdin.read() if options.query == "-" else options.query
    with drawn_progress(counts=True) as progress:
        index = open_repo(options, progress).index
        try:
            result = _ask(index, text, limits, options)
        except DamagedIndex:
            _tell(index.update(rebuild=True))
            result = _ask(index, text, limits, options)
    _print(result, options)
    if result.is_cut:
        print(f"blastgit: there are more rows than {options.rows:,}: see --rows", file=sys.stderr)
    return 0


def _ask(index: Index, query: str, limits: Limits, options: argparse.Namespace) -> Result:
    with index.open(limits, as_is=options.as_is) as opened:
        _tell(opened.updated)
        with _confined(limits.memory):
            return opened.query(query)


def _tell(updated: Updated | None) -> None:
    if updated is not None and updated.rebuilt:
        why = "the old one was damaged" if updated.rebuilt == "as was asked" else updated.rebuilt
        print(f"blastgit: the index was made anew: {why}", file=sys.stderr)
    if updated is not None and updated.damaged:
        count = plural(len(updated.damaged), "thing")
        print(f"blastgit: {count} cannot be read and are not in the tables: see `blastgit index`", file=sys.stderr)


@contextmanager
def _confined(memory: int) -> Iterator[None]:
    """Limit the whole process: some of DuckDB's functions make a text of gigabytes without looking at its own limit."""
    statm = Path("/proc/self/statm")
    before, hard = resource.getrlimit(resource.RLIMIT_AS)
    if not statm.exists():
        yield
        return
    wanted = int(statm.read_text("ascii").split()[0]) * resource.getpagesize() + memory + _SPARE
    known = [each for each in (before, hard) if each != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min([wanted, *known]), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, hard))


def _print(result: Result, options: argparse.Namespace) -> None:
    names = [column.name for column in result.columns]
    if options.json:
        print(json.dumps(result.to_json(), indent=2, ensure_ascii=False))
    elif options.jsonl:
        sys.stdout.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in result.to_json())
    elif options.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(row.values() for row in result.to_json())
    else:
        kinds = ("integer", "bigint", "double")
        right = [i for i, column in enumerate(result.columns) if column.type in kinds]
        texts = [["" if value is None else str(value) for value in row.values()] for row in result.to_json()]
        print_table([names, *texts], right=right)
