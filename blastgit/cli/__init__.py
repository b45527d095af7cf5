"""The command line: one file per verb, which only parses options and prints results."""

from blastgit.cli.main import main

__all__ = ["main"]
