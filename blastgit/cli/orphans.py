"""`blastgit orphans`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, open_repo, plural, print_json, print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "--days", type=int, default=30, metavar="N", help="leave out those younger than N days (default: 30)"
    )
    add_json(parser)
    parser.epilog = """\
A run is an orphan if no collection, release, annotation or logged read refers to it or to a revision of it, and no
transient's latest revision belongs to it. Nothing is removed: revisions are permanent.
"""


def run(options: argparse.Namespace) -> int:
    """List orphans."""
    found = open_repo(options).orphans(options.days)
    if options.json:
        print_json([each.to_json() for each in found])
        return 0
    rows = [(each.kind, each.name, each.last, ", ".join(each.revisions[:3])) for each in found]
    if rows:
        print_table([("kind", "name", "last", "revisions"), *rows])
    print(f"{plural(len(found), 'orphan')}")
    return 0
