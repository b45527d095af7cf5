"""`blastgit run start TARGET RELEASE TICKET`."""

from __future__ import annotations

import argparse

from blastgit.cli.collection import add_intent, intent_of, say_changed
from blastgit.cli.common import add_json, open_repo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="VERB", required=True)
    words = "make the RUN collection of a processing run, and the public chain of it and of what it reads"
    start = actions.add_parser("start", help=words, description=f"{words[0].upper()}{words[1:]}.")
    start.add_argument("-C", "--repo", dest="repo", metavar="REPO", default=argparse.SUPPRESS, help="the data repo")
    start.add_argument("target", metavar="TARGET", help="what is processed, in a word")
    start.add_argument("release", metavar="RELEASE", help="the release that processes it")
    start.add_argument("ticket", metavar="TICKET", help="the ticket that says why")
    start.add_argument("--instrument", help="the instrument, if there is one that matters")
    words = "a collection that is read; may be given again (default: the recommended ones)"
    start.add_argument("--input", dest="inputs", action="append", default=[], metavar="COLLECTION", help=words)
    start.add_argument("--output", metavar="COLLECTION", help="another name for the chain, such as u/USER/TICKET/NAME")
    start.add_argument("--output-run", metavar="RUN", help="the RUN's name below the chain's (default: the time)")
    add_intent(start)
    add_json(start)
    start.epilog = "The RUN's name is what `blastgit record --run` takes."


def run(options: argparse.Namespace) -> int:
    """Begin it, and say how its collections are called."""
    from blastgit.collections.start import Start

    collections = open_repo(options).collections
    inputs = tuple(options.inputs)
    wanted = Start(
        options.target, options.release, options.ticket, options.instrument, inputs, options.output, options.output_run
    )
    return say_changed(collections.start_run(wanted, intent_of(options, collections)), options)
