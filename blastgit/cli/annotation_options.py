"""Options and output that the verbs `attach` and `metric` share."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, print_json

if TYPE_CHECKING:
    from blastgit.annotations.write import Annotated


def add_subject(parser: argparse.ArgumentParser) -> None:
    """Add the argument for the subject."""
    words = "the revision, a file or part of it (NAME@N:PATH), run:NAME or collection:NAME (default: all)"
    parser.add_argument("subject", nargs="?", metavar="NAME@N", help=words)


def add_saying(parser: argparse.ArgumentParser) -> None:
    """Add the options for writing and listing."""
    parser.add_argument("-m", "--comment", default="", metavar="TEXT", help="a comment on it")
    parser.add_argument("--bot", action="store_true", help="a program records it")
    parser.add_argument("--history", action="store_true", help="list also what was superseded or retracted")
    parser.add_argument("--dry-run", action="store_true", help="check, but write nothing")
    add_json(parser)


def tell_added(done: Annotated, options: argparse.Namespace, done_word: str) -> int:
    """Print what was added."""
    if options.json:
        print_json(done.to_json())
    elif not done.ids:
        print("nothing new: already recorded")
    else:
        print(f"{f'would be {done_word}' if options.dry_run else done_word}: {done.ids[0]}")
    return 0
