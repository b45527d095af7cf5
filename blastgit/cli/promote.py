"""`blastgit promote u/USER/NAME@N`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, drawn_progress, open_repo, print_json
from blastgit.cli.record import say
from blastgit.repository.base import LOCK_TIMEOUT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("spec", metavar="u/USER/NAME[@REV]", help="the revision of a user's own line")
    parser.add_argument("--run", metavar="RUN", dest="run_name", help="the RUN collection of the official revision")
    parser.add_argument("--even-withdrawn", action="store_true", help="republish withdrawn files (admins only)")
    parser.add_argument("--even-invalid", action="store_true", help="promote it even if a stage of its workflow failed")
    parser.add_argument("--dry-run", action="store_true", help="decide, but write nothing")
    words = "how long to wait for another writer"
    parser.add_argument("--timeout", type=float, metavar="SECONDS", default=LOCK_TIMEOUT, help=words)
    add_json(parser)
    parser.epilog = """\
It is compared with the latest official revision, as by `blastgit record`; if nothing differs, no new one is made.
"""


def run(options: argparse.Namespace) -> int:
    """Promote, and print the result."""
    with drawn_progress() as progress:
        result = open_repo(options, progress).personal.promote(
            options.spec, run=options.run_name, dry_run=options.dry_run, timeout=options.timeout,
            even_withdrawn=options.even_withdrawn, even_invalid=options.even_invalid,
        )  # fmt: skip
    if options.json:
        print_json({**result.to_json(), "dry_run": options.dry_run})
    else:
        say(result, dry_run=options.dry_run)
    return 0
