"""`blastgit query VERB …`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from blastgit.cli.common import (
    add_action,
    add_json,
    bold,
    open_repo,
    print_changes,
    print_json,
    print_table,
    read_input,
)
from blastgit.errors import BlastgitError

if TYPE_CHECKING:
    from blastgit.search.saved.queries import Queries

_VERBS = {
    "add": "save a query",
    "list": "list saved queries",
    "show": "show a query and its parameters",
    "remove": "remove a query; its history stays",
    "log": "show who changed a query, when and why",
}

_EPILOG = """\
A query is a SELECT on the index. Comments before it say what it finds and which parameters it takes:

  -- description: hosts whose photometry is good
  -- parameters:
  --   snr: {type: double, default: 5, description: the least signal-to-noise ratio}
  SELECT DISTINCT transient, revision FROM photometry WHERE is_latest AND flux > $snr * flux_error

Run it with `blastgit find --query NAME --param snr=10`. Every change is one commit on main, with its reason (-m).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.epilog = _EPILOG
    verbs = parser.add_subparsers(dest="action", metavar="VERB", required=True)
    for name, words in _VERBS.items():
        verb = add_action(verbs, name, words)
        if name != "list":
            verb.add_argument("name", metavar="NAME", help="lower-case letters, digits and _")
        if name == "add":
            verb.add_argument("file", metavar="FILE", help="the file with the query; - for stdin")
            verb.add_argument("--replace", action="store_true", help="replace the query of that name")
        if name in ("add", "remove"):
            verb.add_argument("-m", "--reason", required=True, metavar="TEXT", help="why, in one line")
            verb.add_argument("--dry-run", action="store_true", help="check, but write nothing")
        add_json(verb)


def run(options: argparse.Namespace) -> int:
    """Run the subcommand and print its result."""
    queries = open_repo(options).queries
    if options.action in ("add", "remove"):
        return _change(queries, options)
    return {"list": _list, "show": _show, "log": _log}[options.action](queries, options)


def _change(queries: Queries, options: argparse.Namespace) -> int:
    from blastgit.collections.change import Intent

    intent = Intent(options.reason, dry_run=options.dry_run)
    if options.action == "add":
        commit = queries.add(options.name, read_input(options.file), intent, replace=options.replace)
    else:
        commit = queries.remove(options.name, intent)
    if options.json:
        print_json({"query": options.name, "commit": commit})
    else:
        print(f"{bold(options.name)} {'would change' if commit is None else f'changed ({commit:.10})'}")
    return 0


def _list(queries: Queries, options: argparse.Namespace) -> int:
    found, code = [], 0
    for name in queries:
        try:
            found.append(queries[name])
        except BlastgitError as error:  # pushed without the hook; still list the others
            print(f"blastgit: {error}", file=sys.stderr)
            code = error.exit_code
    if options.json:
        print_json([query.to_json() for query in found])
    elif not found and not code:
        print("no query is saved yet")
    else:
        print_table([[query.name, ", ".join(query.parameters), query.about] for query in found])
    return code


def _show(queries: Queries, options: argparse.Namespace) -> int:
    query = queries[options.name]
    if options.json:
        print_json({**query.to_json(), "sql": query.text})
    else:
        print(query.text, end="")
    return 0


def _log(queries: Queries, options: argparse.Namespace) -> int:
    print_changes(queries.log(options.name), as_json=options.json)
    return 0
