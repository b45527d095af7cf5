"""`blastgit init PATH`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, add_store_options, print_json, store_options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("path", help="where to make the bare repository")
    parser.add_argument(
        "--store", metavar="URL", help="where to keep contents, any DVC remote (default: inside the repo)"
    )
    add_store_options(parser)
    parser.add_argument("--simulated", action="store_true", help="the repo is for simulated data")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Make the repo."""
    from blastgit.api.repo import DataRepo

    repo = DataRepo.init(options.path, store=options.store, options=store_options(options), simulated=options.simulated)
    if options.json:
        print_json({"path": str(repo.path.absolute()), "store": repo.store_url})
        return 0
    print(f"made the data repo {repo.path.absolute()}")
    print(f"contents go to {repo.store_url}")
    if options.store is None:
        print("That store is a folder on this machine: for a repo that others read, give a permanent one with --store.")
    return 0
