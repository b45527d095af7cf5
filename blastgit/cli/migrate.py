"""`blastgit migrate DEST`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import (
    add_json,
    add_store_options,
    bold,
    drawn_progress,
    open_repo,
    plural,
    print_json,
    size_text,
    store_options,
)

_HOW = {"hardlink": "hard-linked, in", "copy": "copied, to", "reference": "by reference: still in"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("dest", metavar="DEST", help="the data repo to make")
    words = "how to bring contents over (default: auto, hard links where the file system can, else references)"
    parser.add_argument("--mode", choices=["auto", "hardlink", "copy", "reference"], default="auto", help=words)
    words = "copy contents to this store, any DVC remote (default: folders inside DEST)"
    parser.add_argument("--store", metavar="URL", help=words)
    add_store_options(parser)
    parser.add_argument("--dry-run", action="store_true", help="check everything, but make nothing")
    add_json(parser)
    parser.epilog = """\
The new repo has all revisions, collections, annotations, settings, releases and the ledger, with the same commits, tags
and ids. This repo stays unchanged; what either of the two deletes later, the other keeps.
"""


def run(options: argparse.Namespace) -> int:
    """Make the new repo, and print what happened to the contents."""
    with drawn_progress() as progress:
        repo = open_repo(options, progress)
        made = repo.migrate(
            options.dest,
            mode=options.mode,
            store=options.store,
            options=store_options(options),
            dry_run=options.dry_run,
        )
    if options.json:
        print_json({**made.to_json(), "dry_run": options.dry_run})
        return 0
    would = "would have " if options.dry_run else ""
    print(f"{bold(str(made.path))}: {would}{plural(made.refs, 'ref')} (branches, tags and so on)")
    for each in made.stores:
        name = f"{each.store}: " if each.store else ""
        print(f"  {name}{plural(each.contents, 'content')}, {size_text(each.size)}, {_HOW[each.mode]} {each.url}")
    if any(each.mode == "reference" and each.contents for each in made.stores):
        print("  contents that stay there serve both repos: do not remove that store, or the repo that it is in")
    if not options.dry_run:
        print(f"  plain DVC in a clone of it, or of the old one: blastgit -C {made.path} setup CLONE")
    return 0
