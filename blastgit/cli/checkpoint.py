"""`blastgit checkpoint`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, open_repo, print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "--sign", nargs="?", const="", metavar="KEY",
        help="sign it as git signs commits, with this key or the one in git's settings",
    )  # fmt: skip
    add_json(parser)
    parser.epilog = """\
Prints four lines: the ledger's repo, its number of tags, the SHA-256 of all its lines, and the commit. Keep them where
nobody with write access to this repo can change them: `blastgit verify --since FILE` later proves that nothing was
rewritten.
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
