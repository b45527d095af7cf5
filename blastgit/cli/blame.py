"""`blastgit blame NAME [FIELD]`."""

from __future__ import annotations

import argparse
from itertools import groupby
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, open_repo, print_json, print_table
from blastgit.naming.names import is_personal

if TYPE_CHECKING:
    from blastgit.repository.commits import Revision


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("name", help="the transient; NAME:FIELD names both")
    parser.add_argument("field", nargs="?", help="a value, a file, the beginning of their paths, or a pattern")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print which revision changed what; values of a row that changed together share a line."""
    found = open_repo(options).blame(options.name, options.field)
    if options.json:
        print_json([each.to_json() for each in found])
        return 0
    rows = []
    for (row, label), group in groupby(found, key=lambda each: (_row(each.path), _label(each.revision))):
        members = list(group)
        revision = members[0].revision
        what = members[0].path if len(members) == 1 else f"{row}: {len(members)} values"
        rows.append([label, f"{revision.time:%Y-%m-%d}", revision.app_version, what])
    print_table(rows)
    return 0


def _label(revision: Revision) -> str:
    """Return a label for a revision; users' own lines have numbers of their own, so they need the full name."""
    return str(revision) if is_personal(revision.name) else f"@{revision.number}"


def _row(path: str) -> str:
    return path if path.startswith(("cutout_cdn/", "sed_output/")) else path.rpartition(".")[0]
