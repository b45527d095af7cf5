"""What the verbs that query the index share: formats, limits, rebuilding a damaged index, printing the result."""

from __future__ import annotations

import argparse
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from blastgit.cli.common import drawn_progress, open_repo, plural, print_data, tell_failure
from blastgit.errors import UsageError
from blastgit.index.described import plain
from blastgit.search.tabular.formats import DESCRIBED, FORMATS, written
from blastgit.search.tabular.votable import Votable

if TYPE_CHECKING:
    from blastgit.api.repo import DataRepo
    from blastgit.index.build import Updated
    from blastgit.index.open_index import Limits, Result
    from blastgit.search.adql.query import SearchIndex

_SPARE = 4_000_000_000  # bytes of address space that a process needs besides the query's memory
_GRACE = 2.0  # seconds for a query to stop on its own
_T = TypeVar("_T")


def add_format(parser: argparse.ArgumentParser) -> None:
    """Add `--format` and `--json` to a verb."""
    form = parser.add_mutually_exclusive_group()
    words = "; ".join(f"{name}: {about}" for name, (about, _) in FORMATS.items())
    form.add_argument("--format", choices=FORMATS, default="table", metavar="FORMAT", help=words)
    words = "print JSON with stable keys, like --format json"
    form.add_argument("--json", action="store_const", dest="format", const="json", help=words)
    words = "print a list for other verbs, one NAME@N a line, like --format names"
    form.add_argument("--names", action="store_const", dest="format", const="names", help=words)


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Add the limits of a query to a verb."""
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N", help="print up to N rows (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="stop after S seconds (%(default)s)")
    parser.add_argument("--memory", type=float, default=2.0, metavar="GB", help="memory limit (%(default)s)")
    parser.add_argument("--as-is", action="store_true", help="do not check whether the index is up to date")


def with_index(options: argparse.Namespace, question: Callable[[DataRepo, SearchIndex], _T]) -> _T:
    """Query the index of the repo, rebuilding it first if it is damaged.

    Raises:
        UsageError: A limit is not a positive number.
    """
    from blastgit.index.open_index import Limits
    from blastgit.index.write import DamagedIndex

    if options.rows < 0 or not options.seconds > 0 or not options.memory > 0:
        raise UsageError("--rows, --seconds and --memory take positive numbers")
    limits = Limits(min(options.seconds, 1e6), int(min(options.memory, 1e5) * 1e9), options.rows)
    with drawn_progress(counts=True) as progress:
        repo = open_repo(options, progress)
        try:
            return _ask(repo, question, limits, as_is=options.as_is)
        except DamagedIndex:
            _tell(repo.index.update(rebuild=True))
            return _ask(repo, question, limits, as_is=options.as_is)


def say(result: Result, options: argparse.Namespace) -> None:
    """Print a result in the requested format."""
    if options.format == "votable" and result.is_cut:
        pieces = Votable(closing=[("QUERY_STATUS", "OVERFLOW", "")]).write(result.columns, result.rows)
    else:
        columns = result.columns if options.format in DESCRIBED else plain(result.columns)
        pieces = written(options.format, columns, result.rows)
    if options.format == "table":
        sys.stdout.writelines(pieces)
    else:
        print_data(pieces)
    if result.is_cut:
        print(f"blastgit: there are more rows than {options.rows:,}: see --rows", file=sys.stderr)


def _ask(repo: DataRepo, question: Callable[[DataRepo, SearchIndex], _T], limits: Limits, *, as_is: bool) -> _T:
    with repo.index.open(limits, as_is=as_is) as opened:
        _tell(opened.updated)
        with _confined(limits.memory), _ended(limits.seconds):
            return question(repo, opened)


def _tell(updated: Updated | None) -> None:
    if updated is not None and updated.rebuilt:
        why = "the old one was damaged" if updated.rebuilt == "as was asked" else updated.rebuilt
        print(f"blastgit: the index was rebuilt: {why}", file=sys.stderr)
    if updated is not None and updated.damaged:
        count = plural(len(updated.damaged), "thing")
        print(f"blastgit: {count} cannot be read and are not in the tables: see `blastgit index`", file=sys.stderr)


@contextmanager
def _confined(memory: int) -> Iterator[None]:
    """Limit the memory of the process: some DuckDB functions build gigabytes of text regardless of DuckDB's limit."""
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


@contextmanager
def _ended(seconds: float) -> Iterator[None]:
    """End the process if a query does not stop when told to: DuckDB cannot be interrupted within a row.

    Nothing is being written at that point.
    """
    from blastgit.errors import OverLimit

    def end() -> None:
        wants_json = "--json" in sys.argv
        words = f"the query took longer than {seconds:g} s, could not be stopped, and was ended with this command"
        code = tell_failure(OverLimit(words), wants_json=wants_json)
        sys.stdout.flush()
        os._exit(code)

    watch = threading.Timer(seconds + _GRACE, end)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
