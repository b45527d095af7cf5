"""`blastgit hooks install [REPO]`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("action", choices=["install"], help="install the hook, or replace an older one")
    parser.add_argument(
        "where", nargs="?", type=Path, metavar="REPO", help="the data repo or clone (default: that of -C, or here)"
    )
    parser.add_argument("--client", action="store_true", help="install pre-push into a clone")


def run(options: argparse.Namespace) -> int:
    """Install the hook."""
    from blastgit.repository.hooks import install_hooks

    named = options.where or options.repo or (None if options.client else os.environ.get("BLASTGIT_REPO"))
    path = install_hooks(Path(named or "."), client=options.client)
    print(f"{path} now checks every push")
    return 0
