"""What `blastgit serve` and `blastgit tap serve` share: where to listen, start and stop."""

from __future__ import annotations

import argparse
import logging
import re
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from blastgit.cli.common import drawn_progress, open_repo
from blastgit.errors import UsageError

_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")


def add_place(parser: argparse.ArgumentParser, refresh: float, example: str) -> None:
    """Add the options that say where a server listens; `example` is an example of a public URL."""
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="the port; 0 for any free one (%(default)s)")
    words = f"the public URL of the server behind a proxy: {example}"
    parser.add_argument("--url", metavar="URL", help=words)
    words = "check every S seconds whether the index is up to date (%(default)s)"
    parser.add_argument("--refresh", type=float, default=refresh, metavar="S", help=words)


def public_url(options: argparse.Namespace) -> str | None:
    """Return the public URL of the server without a trailing slash, or None.

    Raises:
        UsageError: The port, the interval or the address is not valid.
    """
    if not options.refresh >= 0 or not 0 <= options.port < 65536:
        raise UsageError("--port is less than 65536, and --refresh is 0 or more")
    if options.url is None:
        return None
    if not is_url(options.url):
        raise UsageError(f"--url takes an address such as https://data.example.org, not {options.url!r}")
    return str(options.url).rstrip("/")


def is_url(text: str) -> bool:
    """Whether a text is an HTTP URL without a query."""
    return _URL.fullmatch(text) is not None


def prepare(options: argparse.Namespace) -> tuple[Path, Path]:
    """Set up logging, the index and the handler of SIGTERM; return the paths of the repo and its index.

    Raises:
        RepoError: The data repo is not on this machine, or its index cannot be built.
    """
    logging.basicConfig(stream=sys.stderr, format="blastgit: %(message)s", level=logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # waiting requests are normal
    with drawn_progress(counts=True) as progress:
        repo = open_repo(options, progress)
        path, index = repo.tap.here, repo.index
        with index.open():
            pass  # built, or brought up to date
    signal.signal(signal.SIGTERM, _end)
    return path, index.path


def _end(*_: Any) -> NoReturn:
    raise SystemExit(0)
