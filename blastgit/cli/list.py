"""`blastgit list [PATTERN]`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, open_repo, plural, print_json, print_table, size_text

if TYPE_CHECKING:
    from blastgit.listing import Transient


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("pattern", nargs="?", default="*", help="a shell pattern for names, in quotes: '2026*'")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """List transients."""
    found = open_repo(options).list(options.pattern)
    if options.json:
        print_json([each.to_json() for each in found])
        return 0
    if not found:
        print("no transient yet" if options.pattern == "*" else f"no transient is called {options.pattern}")
        return 0
    rows = [["transient", "revision", "time (UTC)", "app", "files", "size", "status"]]
    rows += [
        [
            t.name,
            str(t.revision),
            f"{t.time:%Y-%m-%d %H:%M}",
            t.app_version,
            str(t.files),
            size_text(t.size),
            _status(t),
        ]
        for t in found
    ]
    print_table(rows, right=(1, 4, 5))
    return 0


def _status(transient: Transient) -> str:
    gone = f"; {plural(transient.withdrawn, 'file')} withdrawn" if transient.withdrawn else ""
    return f"{transient.status}{gone}"
