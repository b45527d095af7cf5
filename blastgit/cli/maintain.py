"""`blastgit maintain`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, bold, drawn_progress, open_repo, plural, print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--auto", action="store_true", help="do nothing unless there is much to pack")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Pack, and print what was packed."""
    with drawn_progress() as progress:
        done = open_repo(options, progress).maintain(only_if_due=options.auto)
    if options.json:
        print_json(done.to_json())
        return 0
    if not done.was_due:
        print(f"nothing to do: {plural(done.before.objects, 'loose object')}, {plural(done.before.refs, 'loose ref')}")
        return 0
    for what in ("objects", "refs"):
        before, after = getattr(done.before, what), getattr(done.after, what)
        print(f"{plural(before, f'loose {what[:-1]}')} before, {after:,} now")
    print(f"{bold('packed')}: {plural(done.after.packs, 'pack')}")
    return 0
