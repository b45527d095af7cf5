"""`blastgit types [NAME@REV]`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, open_repo, print_json, print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    words = "list the datasets of this revision; without it, the types themselves"
    parser.add_argument("revision", nargs="?", metavar="NAME@REV", help=words)
    parser.add_argument("--type", dest="type_", metavar="TYPE", help="only datasets of this type")
    add_json(parser)
    parser.epilog = """\
To read a dataset into an object in Python:
repo.dataset("cutout", "2026dgt", filter="DES_z", revision=0)
"""


def run(options: argparse.Namespace) -> int:
    """List types or datasets."""
    from blastgit.readers.registry import is_known

    types = open_repo(options).types
    if options.revision:
        found = types.of(options.revision, options.type_)
        if options.json:
            print_json([each.to_json() for each in found])
        elif not found:
            print(f"{options.revision} has nothing of {f'the type {options.type_}' if options.type_ else 'any type'}")
        else:
            print_table([["type", "dataset"], *([each.type, str(each)] for each in found)])
        return 0
    listed = [types.find(options.type_)] if options.type_ else types.list()
    if options.json:
        print_json([{**each.to_json(), "installed": is_known(each.reader)} for each in listed])
        return 0
    rows = [["type", "made of", "keys", "reader"]]
    for each in listed:
        missing = "" if is_known(each.reader) else " (not installed here)"
        rows.append([each.name, each.source, " ".join(each.keys), each.reader + missing])
    print_table(rows)
    return 0
