"""`blastgit checkpoint`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, open_repo, print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "--sign", nargs="?", const="", metavar="KEY",
        help="sign it, as git signs commits: with this key, or the one that git's settings name",
    )  # fmt: skip
    add_json(parser)
    parser.epilog = """\
Prints four lines: whose ledger it is, how many tags it has, the SHA-256 of all its lines, and the commit. Keep
them where nobody who can write here can: `blastgit verify --since FILE` proves later that nothing was rewritten.
"""


def run(options: argparse.Namespace) -> int:
    """Make a checkpoint of the ledger, and print its note."""
    from blastgit.plumbing.signing import Sign

    made = open_repo(options).checkpoint(None if options.sign is None else Sign(options.sign))
    if options.json:
        print_json(made.to_json())
    else:
        print(made.note(), end="")
    return 0
