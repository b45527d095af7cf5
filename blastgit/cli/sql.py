"""`blastgit sql QUERY`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import read_input
from blastgit.cli.with_index import add_format, add_limits, say, with_index


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("query", help="a SELECT in DuckDB's SQL, or in ADQL; - reads it from stdin")
    parser.add_argument("--adql", action="store_true", help="the query is in ADQL, the language of TAP services")
    add_format(parser)
    add_limits(parser)
    parser.epilog = """\
`blastgit index --tables` lists the tables. A query can only read these tables: no files, no network.
"""


def run(options: argparse.Namespace) -> int:
    """Run a query and print its result."""
    text = read_input("-") if options.query == "-" else options.query
    say(with_index(options, lambda _, index: index.adql(text) if options.adql else index.query(text)), options)
    return 0
