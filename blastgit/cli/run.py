"""`blastgit run start TARGET RELEASE TICKET`, `blastgit run list`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.cli.collection import add_intent, intent_of, say_changed
from blastgit.cli.common import add_action, add_json, open_repo, print_data, print_json, print_table

if TYPE_CHECKING:
    from blastgit.api.collections import Collections


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="VERB", required=True)
    _add_start(actions)
    words = "list all runs, with the number of revisions in each, and any problem with its name"
    listed = add_action(actions, "list", words)
    listed.add_argument("pattern", nargs="?", default="*", help="a shell pattern of names")
    add_json(listed)
    words = "print the configuration that a run was started with"
    config = add_action(actions, "config", words)
    config.add_argument("run_name", metavar="RUN", help="the run")


def _add_start(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    words = "make the RUN collection of a processing run, and the public chain of the RUN and its inputs"
    start = add_action(actions, "start", words)
    start.add_argument("target", metavar="TARGET", help="what is processed, in a word")
    start.add_argument("release", metavar="RELEASE", help="the release that processes it")
    start.add_argument("ticket", metavar="TICKET", help="the ticket that says why")
    start.add_argument("--instrument", help="the instrument, if it matters")
    words = "an input collection; may be given again (default: the recommended ones)"
    start.add_argument("--input", dest="inputs", action="append", default=[], metavar="COLLECTION", help=words)
    start.add_argument("--output", metavar="COLLECTION", help="another name for the chain, such as u/USER/TICKET/NAME")
    start.add_argument("--output-run", metavar="RUN", help="the RUN's name below the chain's (default: the time)")
    words = "its configuration: kept on main, and named by each recording of the run"
    start.add_argument("--config", metavar="FILE", type=Path, help=words)
    add_intent(start)
    add_json(start)
    start.epilog = "Give the RUN's name to `blastgit record --run`."


def run(options: argparse.Namespace) -> int:
    """Start a run and print its collections, list runs, or print a configuration."""
    collections = open_repo(options).collections
    if options.action == "config":
        print_data([collections.configuration(options.run_name).decode()])
        return 0
    return _list(collections, options) if options.action == "list" else _start(collections, options)


def _list(collections: Collections, options: argparse.Namespace) -> int:
    found = collections.runs(options.pattern)
    if options.json:
        print_json([each.to_json() for each in found])
        return 0
    if not found:
        print("no run yet" if options.pattern == "*" else f"no run is called {options.pattern}")
        return 0
    rows = [["run", "born", "attested", ""]]
    for each in found:
        words = each.problem or ("" if each.is_begun else "only named by commits")
        rows.append([each.name, f"{each.born:,}", f"{each.attested:,}", words])
    print_table(rows, right=(1, 2))
    return 0


def _start(collections: Collections, options: argparse.Namespace) -> int:
    from blastgit.collections.start import Start

    inputs = tuple(options.inputs)
    wanted = Start(
        options.target,
        options.release,
        options.ticket,
        options.instrument,
        inputs,
        options.output,
        options.output_run,
        options.config,
    )
    return say_changed(collections.start_run(wanted, intent_of(options, collections)), options)
