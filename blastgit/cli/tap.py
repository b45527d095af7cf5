"""`blastgit tap serve`."""

from __future__ import annotations

import argparse
import sys

from blastgit.cli.parts.listening import add_place, prepare, public_url
from blastgit.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("action", choices=["serve"], help="answer requests until interrupted")
    add_place(parser, 60.0, "https://data.example.org/blast")
    parser.add_argument(
        "--seconds", type=float, default=60.0, metavar="S", help="time limit of a sync query (%(default)s)"
    )
    words = "the highest time limit of an async query (%(default)s)"
    parser.add_argument("--most-seconds", type=float, default=600.0, metavar="S", help=words)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of a result without MAXREC (%(default)s)")
    parser.add_argument("--most-rows", type=int, default=2_000_000, metavar="ROWS", help="the most rows (%(default)s)")
    parser.add_argument("--memory", type=float, default=2.0, metavar="GB", help="memory limit of a query (%(default)s)")
    words = "number of concurrent sync queries, and of async ones (%(default)s)"
    parser.add_argument("--at-once", type=int, default=2, metavar="N", help=words)
    parser.epilog = """\
The service is below /tap, the files are below /files. Ctrl-C stops it.
"""


def run(options: argparse.Namespace) -> int:
    """Serve."""
    from blastgit.serve.tap.limits import ServiceLimits
    from blastgit.serve.tap.serve import Place, serving

    numbers = (options.seconds, options.most_seconds, options.rows, options.most_rows, options.memory, options.at_once)
    if not all(number > 0 for number in numbers):
        raise UsageError("the limits must be positive numbers")
    url = public_url(options)
    limits = ServiceLimits(
        rows=min(options.rows, options.most_rows),
        most_rows=options.most_rows,
        seconds=min(options.seconds, 1e6),
        most_seconds=min(options.most_seconds, 1e6),
        memory=int(min(options.memory, 1e5) * 1e9),
        at_once=min(options.at_once, 64),
    )
    place = Place(options.host, options.port, url, options.refresh, limits)
    path, index = prepare(options)
    with serving(path, index, place) as service:
        print(f"TAP service at {service.url}", flush=True)
        service.run()
    print("blastgit: the service has ended", file=sys.stderr)
    return 0
