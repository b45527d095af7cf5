"""`blastgit serve`."""

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
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (%(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="the port; 0 for any that is free (%(default)s)")
    words = "what the public knows the server by, behind a proxy: https://data.example.org"
    parser.add_argument("--url", metavar="URL", help=words)
    parser.add_argument("--clone-url", metavar="URL", help="what people clone the data repo from")
    words = "look every S seconds whether the index is up to date (%(default)s)"
    parser.add_argument("--refresh", type=float, default=10.0, metavar="S", help=words)
    parser.add_argument("--threads", type=int, default=12, metavar="N", help="requests at once (%(default)s)")
    parser.epilog = """\
Pages are below /, the TAP service is at /tap, files are below /files. Ctrl-C ends it. See docs/web.md.
"""


def run(options: argparse.Namespace) -> int:
    """Serve."""
    from blastgit.serve.options import ServeOptions
    from blastgit.serve.server import need_libraries, serving

    if not 0 <= options.port < 65536 or not options.refresh >= 0 or not 1 <= options.threads <= 256:
        raise UsageError("a port is less than 65536, --refresh is no less than 0, and --threads is from 1 to 256")
    for name in ("url", "clone_url"):
        value = getattr(options, name)
        if name == "url" and value is not None and not _URL.fullmatch(value):
            raise UsageError(f"--url takes an address such as https://data.example.org, not {value!r}")
    need_libraries()
    logging.basicConfig(stream=sys.stderr, format="blastgit: %(message)s", level=logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # that requests wait is no news
    with drawn_progress(counts=True) as progress:
        repo = open_repo(options, progress)
        path, index = repo.tap.here, repo.index
        with index.open():
            pass  # made, or brought up to date
    chosen = ServeOptions(
        options.host, options.port, None if options.url is None else options.url.rstrip("/"), options.refresh,
        options.threads, options.clone_url,
    )  # fmt: skip
    signal.signal(signal.SIGTERM, _end)
    with serving(path, index.path, chosen) as web:
        print(f"blastgit is at {web.url}", flush=True)
        web.run()
    print("blastgit: the server has ended", file=sys.stderr)
    return 0


def _end(*_: Any) -> NoReturn:
    raise SystemExit(0)
