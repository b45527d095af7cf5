"""`blastgit textconv KIND FILE`: called by git, set up by `blastgit setup`."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("kind", choices=["pointer", "revision"])
    parser.add_argument("file", type=Path)


def run(options: argparse.Namespace) -> int:
    """Print the text."""
    from blastgit.reading.textconv import textconv

    print(textconv(options.kind, options.file.read_bytes()), end="")
    return 0
