"""`blastgit setup [CLONE]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from blastgit.cli.common import plural
from blastgit.errors import BlastgitError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("clone", nargs="?", type=Path, default=Path(), help="the clone (default: the current folder)")
    words = "also write annotations as git notes, so that `git log` shows them; repeat it after a sync"
    parser.add_argument("--notes", action="store_true", help=words)
    parser.epilog = """\
The location of the contents is read from main of the data repo: the one that was cloned, or that of -C REPO. Repeat
the command when the store has moved.
"""


def run(options: argparse.Namespace) -> int:
    """Write the settings of git and DVC in the clone."""
    from blastgit.plumbing.durable import sync_file_systems
    from blastgit.reading.textconv import set_up

    set_up(options.clone)
    print("git diff and git log -p now show pointers and revisions readably here")
    print("dvc pull here brings every file, whatever your own gitignore (core.excludesFile) says")
    _point_to_store(options)
    if options.notes:
        from blastgit.annotations.gitnotes import set_up_notes

        print(f"git log now shows the annotations of {plural(set_up_notes(options.clone), 'revision')}")
    sync_file_systems([options.clone])
    return 0


def _point_to_store(options: argparse.Namespace) -> None:
    """Tell DVC where the contents are; failing to find out is only a warning, unless a repo was named."""
    from blastgit.reading.clone import point_to_store

    try:
        told = point_to_store(options.clone, options.repo)
    except BlastgitError as error:
        if options.repo:
            raise
        print(f"blastgit: dvc pull reads from where the revision says, which may have moved: {error}", file=sys.stderr)
        return
    default, *others = told.addresses.items()
    print(f"dvc pull here reads from {default[1]}{''.join(f', {name} from {url}' for name, url in others)}")
    for name in told.unreachable:
        print(
            f"blastgit: plain DVC cannot be told that the store {name} is at {told.addresses[name]} now, since an "
            "option of its old address is in the way: use `blastgit get`",
            file=sys.stderr,
        )
