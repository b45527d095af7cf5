"""`blastgit schema`."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what to do with it; there are no arguments."""
    parser.epilog = """\
JSON Schema 2020-12. It takes Blast's exports and the document NAME.json of a revision alike; `#/$defs/revision` in it
asks for what only the latter has.
"""


def run(_options: argparse.Namespace) -> int:
    """Print it."""
    from blastgit.revision.schema import schema_text

    print(schema_text(), end="")
    return 0
