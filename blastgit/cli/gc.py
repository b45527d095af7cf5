"""`blastgit gc`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, bold, drawn_progress, open_repo, plural, print_json, size_text
from blastgit.errors import DamagedData, UsageError

if TYPE_CHECKING:
    from blastgit.maintenance.gc import Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--delete", action="store_true", help="do it; without this, only report what would be done")
    parser.add_argument("--restore", action="store_true", help="bring back everything in the quarantine")
    parser.add_argument(
        "--grace", default="14d", metavar="TIME",
        help="how long contents are kept, first in the store and then in the quarantine: 14d (default), 12h, 30m",
    )  # fmt: skip
    parser.add_argument(
        "--also", action="append", default=[], type=Path, metavar="REPO",
        help="another data repo that uses the same store (may be repeated)",
    )  # fmt: skip
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Collect garbage, and print the result."""
    from blastgit.maintenance.gc import read_duration

    if options.delete and options.restore:
        raise UsageError("--delete and --restore are opposites: give one of them")
    grace = read_duration(options.grace)
    with drawn_progress() as progress:
        repo = open_repo(options, progress)
        report = repo.gc(delete=options.delete, restore=options.restore, grace=grace, also=options.also)
    if options.json:
        print_json(report.to_json())
    elif options.restore:
        left = f"; {report.waiting:,} damaged stay there" if report.waiting else ""
        print(f"{bold(plural(len(report.restored), 'content'))} brought back from the quarantine{left}")
    else:
        _say(report)
    for ref, why in report.damaged.items():
        print(
            f"blastgit: {ref} is damaged, and nothing is deleted permanently until it is repaired: {why}",
            file=sys.stderr,
        )
    return DamagedData.exit_code if report.damaged else 0


def _say(report: Report) -> None:
    print(f"{plural(report.contents, 'content')}: {report.reached:,} needed, {report.young:,} not needed but young")
    print(f"{bold(plural(len(report.set_aside), 'content'))} {_words(report, 'set aside')} ({size_text(report.size)})")
    if report.restored:
        print(f"{plural(len(report.restored), 'content')} {_words(report, 'brought back')}: needed after all")
    if report.discarded:
        print(f"{plural(len(report.discarded), 'content')} {_words(report, 'deleted')} ({size_text(report.freed)})")
    if report.waiting:
        waiting = f"{plural(report.waiting, 'content')} in the quarantine"
        print(f"{waiting} (`blastgit gc --restore` brings back what is sound)")
    if report.folders:
        print(f"{plural(len(report.folders), 'temporary folder')} {_words(report, 'removed')}")
    for sentence in report.staying:
        print(f"nothing may be deleted from here: {sentence}")
    if not report.acted:
        print("nothing was done: `blastgit gc --delete` does it")


def _words(report: Report, what: str) -> str:
    return what if report.acted else f"would be {what}"
