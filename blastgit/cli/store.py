"""`blastgit store [show]` and `blastgit store move URL`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, add_store_options, open_repo, print_json, store_options
from blastgit.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "action", nargs="?", choices=["show", "move"], default="show", help="show it (default), or move"
    )
    parser.add_argument("url", nargs="?", metavar="URL", help="where the contents have been copied to")
    parser.add_argument("--no-check", action="store_true", help="do not look whether everything is there")
    add_store_options(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Tell where the store is, after moving it if that is asked for."""
    if (options.action == "move") != (options.url is not None):
        raise UsageError("`store move` takes the new URL, and `store show` none")
    repo = open_repo(options)
    if options.url is not None:
        repo.move_store(options.url, store_options(options), check=not options.no_check)
    if options.json:
        print_json({"store": repo.store_url})
    elif options.url is None:
        print(repo.store_url)
    else:
        print(f"main names {repo.store_url} from now on; blastgit reads every old revision from there")
        print(f"Plain DVC in a clone of an old one: dvc remote modify --local store url {repo.store_url}")
    return 0
