"""The command line: one file per verb, and nothing in it but talking to people."""

from blastgit.cli.main import main

__all__ = ["main"]
