"""`blastgit setup [CLONE]`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("clone", nargs="?", type=Path, default=Path(), help="the clone (default: the present folder)")


def run(options: argparse.Namespace) -> int:
    """Write git's settings in the clone."""
    from blastgit.textconv import set_up

    set_up(options.clone)
    print("git diff and git log -p now show pointers and revisions readably here")
    return 0
