"""`blastgit tap serve`."""

from __future__ import annotations

import argparse
import logging
import re
import signal
import sys
from typing import Any, NoReturn

from blastgit.cli.common import drawn_progress, open_repo
from blastgit.errors import UsageError

_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("action", choices=["serve"], help="answer requests until it is interrupted")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (%(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="the port; 0 for any that is free (%(default)s)")
    words = "what the public knows the service by, behind a proxy: https://data.example.org/blast"
    parser.add_argument("--url", metavar="URL", help=words)
    words = "look every S seconds whether the index is up to date (%(default)s)"
    parser.add_argument("--refresh", type=float, default=60.0, metavar="S", help=words)
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="stop a sync query then (%(default)s)")
    words = "the longest that an async query may take (%(default)s)"
    parser.add_argument("--most-seconds", type=float, default=600.0, metavar="S", help=words)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of a result without MAXREC (%(default)s)")
    parser.add_argument("--most-rows", type=int, default=2_000_000, metavar="ROWS", help="the most rows (%(default)s)")
    parser.add_argument("--memory", type=float, default=2.0, metavar="GB", help="a query may use so much (%(default)s)")
    words = "sync queries at once, and as many async ones (%(default)s)"
    parser.add_argument("--at-once", type=int, default=2, metavar="N", help=words)
    parser.epilog = """\
The service is below /tap, the files are below /files. Ctrl-C ends it.
"""


def run(options: argparse.Namespace) -> int:
    """Serve."""
    from blastgit.serve.tap.limits import ServiceLimits
    from blastgit.serve.tap.serve import Place, serving

    numbers = (options.seconds, options.most_seconds, options.rows, options.most_rows, options.memory, options.at_once)
    if not all(number > 0 for number in numbers) or not options.refresh >= 0 or not 0 <= options.port < 65536:
        raise UsageError("the limits are positive numbers, and a port is less than 65536")
    if options.url is not None and not _URL.fullmatch(options.url):
        raise UsageError(f"--url takes an address such as https://data.example.org/blast, not {options.url!r}")
    limits = ServiceLimits(
        rows=min(options.rows, options.most_rows),
        most_rows=options.most_rows,
        seconds=min(options.seconds, 1e6),
        most_seconds=min(options.most_seconds, 1e6),
        memory=int(min(options.memory, 1e5) * 1e9),
        at_once=min(options.at_once, 64),
    )
    url = None if options.url is None else options.url.rstrip("/")
    place = Place(options.host, options.port, url, options.refresh, limits)
    logging.basicConfig(stream=sys.stderr, format="blastgit: %(message)s", level=logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # that requests wait is no news
    with drawn_progress(counts=True) as progress:
        repo = open_repo(options, progress)
        path, index = repo.tap.here, repo.index
        with index.open():
            pass  # made, or brought up to date
    signal.signal(signal.SIGTERM, _end)
    with serving(path, index.path, place) as service:
        print(f"TAP service at {service.url}", flush=True)
        service.run()
    print("blastgit: the service has ended", file=sys.stderr)
    return 0


def _end(*_: Any) -> NoReturn:
    raise SystemExit(0)
