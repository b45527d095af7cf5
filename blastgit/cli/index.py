"""`blastgit index [--rebuild] [--parquet DIR]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from blastgit.cli.common import add_json, drawn_progress, open_repo, plural, print_json, print_table, size_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--rebuild", action="store_true", help="rebuild it from scratch")
    words = "also write each table as a Parquet file into a folder"
    parser.add_argument("--parquet", type=Path, metavar="DIR", help=words)
    words = "number of processes that read the data repo (default: one per processor)"
    parser.add_argument("--jobs", type=int, metavar="N", help=words)
    parser.add_argument("--tables", action="store_true", help="print the tables and their columns, and do nothing else")
    parser.add_argument("--markdown", action="store_true", help="with --tables: in the format of docs/index.md")
    add_json(parser)
    parser.epilog = """\
The index is derived from the data repo; it is a file in it (blastgit/index.duckdb) that may be deleted at any time.
Commands that read it bring it up to date first.
"""


def run(options: argparse.Namespace) -> int:
    """Bring the index up to date."""
    if options.tables:
        return _tables(options)
    with drawn_progress(counts=True) as progress:
        index = open_repo(options, progress).index
        done = index.update(rebuild=options.rebuild, jobs=options.jobs)
        written = index.parquet(options.parquet) if options.parquet else []
    if options.json:
        print_json({**done.to_json(), "bytes": index.path.stat().st_size, "parquet": [str(path) for path in written]})
    else:
        if done.rebuilt:
            print(f"the index is rebuilt: {done.rebuilt}")
        gone = f"; {plural(done.gone, 'transient')} gone or with a different history" if done.gone else ""
        new = f"{plural(done.revisions, 'new revision')} of {plural(done.transients, 'transient')}{gone}"
        print(f"{new if done.changed else 'nothing changed'}; {size_text(index.path.stat().st_size)}: {done.path}")
        if written:
            print(f"{plural(len(written), 'table')} in {options.parquet}")
    for what, why in done.damaged.items():
        print(f"blastgit: {what} is not in the index: {why}", file=sys.stderr)
    return 9 if done.damaged else 0


def _tables(options: argparse.Namespace) -> int:
    from blastgit.index.tables import tables

    if options.markdown:
        from blastgit.index.describe import markdown

        print(markdown())
        return 0
    if options.json:
        print_json({name: [_told(each) for each in table.columns] for name, table in tables().items()})
        return 0
    for table in tables().values():
        print(f"{table.name}: {table.about}")
        print_table([["", each.name, each.type, each.unit, each.ucd, each.about] for each in table.columns])
        print()
    return 0


def _told(column: object) -> dict[str, str]:
    return {key: getattr(column, key) for key in ("name", "type", "unit", "ucd", "about")}
