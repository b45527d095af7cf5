"""What the verbs `attach` and `metric` have in common: they say something of a revision, or list what was said."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, print_json

if TYPE_CHECKING:
    from blastgit.annotations.write import Annotated


def add_subject(parser: argparse.ArgumentParser) -> None:
    """Add what it is about."""
    words = "the revision, a file or part of it (NAME@N:PATH), run:NAME or collection:NAME; all, if left out"
    parser.add_argument("subject", nargs="?", metavar="NAME@N", help=words)


def add_saying(parser: argparse.ArgumentParser) -> None:
    """Add how it is said."""
    parser.add_argument("-m", "--comment", default="", metavar="TEXT", help="words that go with it")
    parser.add_argument("--bot", action="store_true", help="a program says it")
    parser.add_argument("--history", action="store_true", help="list also what was superseded or taken back")
    parser.add_argument("--dry-run", action="store_true", help="check, and write nothing")
    add_json(parser)


def tell_added(done: Annotated, options: argparse.Namespace, done_word: str) -> int:
    """Tell what came of it."""
    if options.json:
        print_json(done.to_json())
    elif not done.ids:
        print("nothing new: it is there already")
    else:
        print(f"{f'would be {done_word}' if options.dry_run else done_word}: {done.ids[0]}")
    return 0
