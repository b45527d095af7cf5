"""`blastgit affected SUBJECT`."""

from __future__ import annotations

import argparse
from itertools import groupby
from operator import attrgetter

from blastgit.cli.common import add_json, bold, drawn_progress, open_repo, plural, print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    words = "NAME@N:PATH, sha256:…, images/SURVEY/FILTER, host:KEY, filter:NAME, or the id of an annotation"
    parser.add_argument("subject", metavar="SUBJECT", help=words)
    add_json(parser)
    parser.epilog = """\
A file stands for its content, and a host for itself, in all transients and revisions. Only what was actually made from
it is listed: photometry that was not validated affects no fit.
"""


def run(options: argparse.Namespace) -> int:
    """List what was made from the subject, by revision."""
    with drawn_progress() as progress:
        found = open_repo(options, progress).affected(options.subject)
    if options.json:
        print_json([each.to_json() for each in found])
        return 0
    products = 0
    revisions: dict[str, None] = {}
    for revision, those in groupby(found, attrgetter("revision")):
        revisions[revision] = None
        print(bold(revision))
        for each in those:
            products += each.distance > 0
            print(f"  {'  ' * each.distance}{each.product}")
    print(f"{plural(products, 'product')} in {plural(len(revisions), 'revision')} of {options.subject}")
    return 0
