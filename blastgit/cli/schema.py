"""`blastgit schema`."""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the schema; there are no arguments."""
    parser.epilog = """\
JSON Schema 2020-12. It accepts both Blast's exports and the document NAME.json of a revision; `#/$defs/revision` in it
requires what only the latter has.
"""


def run(_options: argparse.Namespace) -> int:
    """Print the schema."""
    from blastgit.revision.schema import schema_text

    print(schema_text(), end="")
    return 0
