"""`blastgit usage [PATTERN]`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, open_repo, print_json, print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("pattern", nargs="?", default="*", metavar="PATTERN", help="a pattern of revisions or runs")
    add_json(parser)
    parser.epilog = """\
Reads are only logged if you ask for it: with `git -C REPO config blastgit.usage true` for all reads of a repo on this
machine, or with a file of your own in BLASTGIT_USAGE. Nothing leaves the machine.
"""


def run(options: argparse.Namespace) -> int:
    """List what was read."""
    found = open_repo(options).usage(options.pattern)
    if options.json:
        print_json([each.to_json() for each in found])
    elif found:
        rows = [(each.revision, str(each.count), each.last, each.run, ", ".join(each.users)) for each in found]
        print_table([("revision", "reads", "last", "run", "by"), *rows], right=(1,))
    else:
        print("no reads have been logged")
    return 0
