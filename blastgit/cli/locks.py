"""`blastgit locks [--free FILE]`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, open_repo, print_json, print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    words = "remove this lock, whose owner is dead: one on another machine, or a git that was killed"
    parser.add_argument("--free", metavar="FILE", help=words)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """List the locks, or free one."""
    repo = open_repo(options)
    if options.free:
        repo.free_lock(options.free)
    locks = repo.locks()
    if options.json:
        print_json([lock.to_json() for lock in locks])
    elif locks:
        print_table([(lock.file, lock.since, lock.state, lock.owner) for lock in locks])
    else:
        print("nothing is locked")
    return 0
