"""`blastgit metric [NAME@N [KEY [VALUE [UNIT]]]]`."""

from __future__ import annotations

import argparse

from blastgit.cli.annotation_options import add_saying, add_subject, tell_added
from blastgit.cli.common import open_repo, print_json, print_table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    add_subject(parser)
    parser.add_argument("key", nargs="?", metavar="KEY", help="what was measured, such as astrometry.rms")
    parser.add_argument(
        "value", nargs="?", metavar="VALUE", help="a number, true or false; without it, show the metric"
    )
    parser.add_argument("unit", nargs="?", default="", metavar="UNIT", help="its unit: mag, arcsec, erg / (s cm2)")
    add_saying(parser)
    parser.epilog = """\
Recording a metric makes no new revision. A new value supersedes your own earlier one. KEY may be a pattern when metrics
are shown. The table `metrics` of `blastgit sql` has all metrics.
"""


def run(options: argparse.Namespace) -> int:
    """Record or show metrics."""
    from blastgit.annotations.metric import read_value
    from blastgit.cli.notes import clone_or_repo

    metrics = open_repo(clone_or_repo(options)).metrics
    if options.value is not None:
        value = read_value(options.value)
        values = {options.key: (value, options.unit)}
        done = metrics.put(options.subject, values, comment=options.comment, bot=options.bot, dry_run=options.dry_run)
        return tell_added(done, options, "recorded")
    if options.key and not any(letter in options.key for letter in "*?["):
        metrics.get(options.subject, options.key)  # the error for an unknown key names the nearest
    found = metrics.list(options.subject, options.key or "*", history=options.history)
    if options.json:
        print_json([each.to_json() for each in found])
    elif not found:
        print("nothing was measured")
    else:
        rows = [["measured of", "metric", "by", "time (UTC)", "state"]]
        for each in found:
            state = "" if each.note.is_current else each.note.state
            rows.append([each.subject, str(each.metric), each.user, f"{each.time:%Y-%m-%d %H:%M}", state])
        print_table(rows)
    return 0
