"""`blastgit sync [REMOTE]`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, open_repo, plural, print_json
from blastgit.cli.notes import clone_or_repo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    words = "a remote of this clone (default: origin), or the folder or URL of a data repo"
    parser.add_argument("remote", nargs="?", default="origin", help=words)
    parser.add_argument("--dry-run", action="store_true", help="count, but change nothing")
    add_json(parser)
    parser.epilog = """\
Fetches the branch annotations, merges it with the one here, line by line, and pushes the result. Annotations made in
both places are all kept; there are no conflicts.
"""


def run(options: argparse.Namespace) -> int:
    """Synchronize annotations, and print how many were exchanged."""
    done = open_repo(clone_or_repo(options)).annotations.sync(options.remote, dry_run=options.dry_run)
    if options.json:
        print_json(done.to_json())
    else:
        verbs = ("to receive", "to send") if options.dry_run else ("received", "sent")
        print(f"{done.remote}: {plural(done.received, 'line')} {verbs[0]}, {done.sent:,} {verbs[1]}")
    return 0
