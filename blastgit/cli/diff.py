"""`blastgit diff A B`."""

from __future__ import annotations

import argparse
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, bold, open_repo, plural, print_json, print_table
from blastgit.errors import UsageError

if TYPE_CHECKING:
    from blastgit.reading.diff import Diff
    from blastgit.revision.compare import FieldChange

_FEW = 6
_LINE = 118
_VALUE = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("old", metavar="A", help="a revision (NAME@REV), or the file of an export")
    parser.add_argument("new", metavar="B", help="another")
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 1 if there is a difference, as diff(1) does"
    )
    parser.add_argument("--full", action="store_true", help="show every value and array, not just the first ones")
    pictures = "draw changed cutouts before, after and as a difference: an .html page, or a folder of PNG"
    parser.add_argument("--pictures", metavar="OUT", type=Path, help=pictures)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Compare, and print the main point first."""
    if Path(options.old).is_file() and Path(options.new).is_file():
        from blastgit.api.reading import compare_exports

        if options.pictures:
            raise UsageError("exports have no images: --pictures needs two revisions")
        result = compare_exports(Path(options.old), Path(options.new))
    else:
        _check_paths(options)
        repo = open_repo(options)
        result = repo.diff(options.old, options.new)
        if options.pictures:
            count = repo.pictures(result, options.pictures)
    if options.json:
        print_json(result.to_json())
    else:
        _say(result, full=options.full)
        if options.pictures:
            print(f"\n{plural(count, 'changed cutout')} drawn in {options.pictures}")
    return 1 if options.exit_code and not result.is_empty else 0


def _check_paths(options: argparse.Namespace) -> None:
    """Check that an argument that looks like the file of an export exists, before it is looked up in a data repo.

    Raises:
        UsageError: The file does not exist.
    """
    for text in (options.old, options.new):
        if text.endswith(".json") and not Path(text).is_file():
            raise UsageError(f"there is no file {text}: give a revision (NAME@REV) or the file of an export")


def _say(result: Diff, *, full: bool) -> None:
    point = "no difference" if result.is_empty and not result.files else result.reason
    _say_point(f"{result.old.label} -> {result.new.label}", point)
    if result.files:
        print(f"\n{plural(len(result.files), 'file')}")
        rows = []
        for file in result.files:
            words = file.problem or (file.difference.summary() if file.difference else "")
            rows.append([f"  {file.change.change}", file.change.path, "" if words == "no difference" else words])
        print_table(rows)
        if full:
            _say_parts(result)
    if result.fields:
        print(f"\n{plural(len(result.fields), 'value')}")
        for table, changes in groupby(result.fields, key=lambda change: change.table):
            _say_table(table, list(changes), full=full)
    for why, count in Counter(result.not_compared.values()).items():
        print(f"\nnot compared: {plural(count, 'path')} of {why}")
    exports = [state.label for state in (result.old, result.new) if state.revision is None]
    if exports:
        print(f"\nonly values were compared: an export ({exports[0]}) has no files")


def _say_point(title: str, point: str) -> None:
    """Print the main point on one line, or clause by clause if it is long."""
    if len(title) + len(point) < _LINE:
        print(f"{bold(title)}: {point}")
    else:
        print("\n  ".join([f"{bold(title)}:", *point.split("; ")]))


def _say_parts(result: Diff) -> None:
    for file in result.files:
        for part in file.difference.parts if file.difference else ():
            print(f"  {file.change.path} {part}")
            for card in part.cards:
                print(f"      {card}")


def _say_table(table: str, changes: list[FieldChange], *, full: bool) -> None:
    from blastgit.revision.words import show_briefly

    shown = changes if full or len(changes) <= 2 * _FEW or table not in ("sed", "sfh", "filters") else changes[:_FEW]
    rows = []
    for change in shown:
        old, new = show_briefly(change.old, change.new, _VALUE)
        rows.append([f"  {change.path}", old, "->", new, change.unit or "", change.size])
    print_table(rows, right=(1, 5))
    if len(shown) < len(changes):
        print(f"  … and {plural(len(changes) - len(shown), 'more value')} of {table} (--full)")
