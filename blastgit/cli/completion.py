"""`blastgit completion SHELL`."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("shell", choices=["bash", "zsh", "tcsh"])


def run(options: argparse.Namespace) -> int:
    """Print the script: `eval "$(blastgit completion bash)"`."""
    import shtab

    from blastgit.cli.main import build_parser

    print(shtab.complete(build_parser(), shell=options.shell))
    return 0
