"""`blastgit verify [NAME]`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, bold, drawn_progress, open_repo, plural, print_json, size_text
from blastgit.errors import DamagedData


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("name", nargs="?", help="the transient (default: all)")
    parser.add_argument("--fast", action="store_true", help="do not read contents, only see that they are there")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Check, and list what is wrong."""
    with drawn_progress() as progress:
        report = open_repo(options, progress).verify(options.name, fast=options.fast)
    if options.json:
        print_json(report.to_json())
        return 0 if report.is_sound else DamagedData.exit_code
    for problem in report.problems:
        print(f"{problem.kind:9} {problem.where}: {problem.text}")
    looked = f"{plural(report.transients, 'transient')}, {plural(report.revisions, 'revision')}"
    read = (
        "contents not read" if options.fast else f"{plural(report.contents, 'content')} read ({size_text(report.size)})"
    )
    verdict = "sound" if report.is_sound else f"{plural(len(report.problems), 'problem')}"
    print(f"{bold(verdict)}: {looked}, {read}")
    return 0 if report.is_sound else DamagedData.exit_code
