"""`blastgit setup [CLONE]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from blastgit.cli.common import plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("clone", nargs="?", type=Path, default=Path(), help="the clone (default: the present folder)")
    words = "also derive git notes from the annotations, so that `git log` shows them; repeat it after a sync"
    parser.add_argument("--notes", action="store_true", help=words)


def run(options: argparse.Namespace) -> int:
    """Write git's settings in the clone."""
    from blastgit.reading.textconv import set_up

    set_up(options.clone)
    print("git diff and git log -p now show pointers and revisions readably here")
    print("dvc pull here brings every file, whatever your own gitignore (core.excludesFile) says")
    if options.notes:
        from blastgit.annotations.gitnotes import set_up_notes

        print(f"git log now shows what was said of {plural(set_up_notes(options.clone), 'revision')}")
    return 0
