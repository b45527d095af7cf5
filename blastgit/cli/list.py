"""`blastgit list [PATTERN]`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, open_repo, plural, print_json, print_table, size_text
from blastgit.errors import DamagedData, UsageError
from blastgit.naming.names import REFERENCE_LINES, is_reference, reference_line

if TYPE_CHECKING:
    from blastgit.api.repo import DataRepo
    from blastgit.reading.listing import Listing, Transient


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "pattern",
        nargs="?",
        default="*",
        help="a shell pattern for names, in quotes: '2026*'; 'u/*' lists users' own lines, 'r/*' references",
    )
    parser.add_argument("--type", metavar="TYPE", help="list the references of a type: filter, survey, model, …")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """List transients, users' own lines or references."""
    repo = open_repo(options)
    pattern = options.pattern if options.type is None else _of_type(repo, options)
    found = repo.list(pattern)
    if options.json:
        print_json(found.to_json())
    elif found or not found.damaged:
        _print(found, pattern)
    for name, why in found.damaged.items():
        print(f"blastgit: {name} is damaged: {why}", file=sys.stderr)
    return DamagedData.exit_code if found.damaged else 0


def _of_type(repo: DataRepo, options: argparse.Namespace) -> str:
    types = [each.name for each in repo.references.types()]
    if options.type not in types:
        raise UsageError(f"{options.type!r} is not a type of reference here; the types are {', '.join(types)}")
    if is_reference(options.pattern):
        raise UsageError("give either the type or a pattern that begins with r/, not both")
    return f"{reference_line(options.type, 'x')[:-1]}{options.pattern}"


def _print(found: Listing, pattern: str) -> None:
    kind = "reference" if is_reference(pattern) else "transient"
    if not found:
        near = f"; did you mean {' or '.join(found.near)}?" if found.near else ""
        print(f"no {kind} yet" if pattern in ("*", REFERENCE_LINES) else f"no {kind} is named {pattern}{near}")
        return
    rows = [[kind, "revision", "time (UTC)", "app", "files", "size", "status"]]
    rows += [
        [
            t.name,
            "draft" if t.revision is None else str(t.revision),
            f"{t.time:%Y-%m-%d %H:%M}",
            t.app_version,
            str(t.files),
            size_text(t.size),
            _status(t),
        ]
        for t in found
    ]
    print_table(rows, right=(1, 4, 5))


def _status(transient: Transient) -> str:
    gone = f"; {plural(transient.withdrawn, 'file')} withdrawn" if transient.withdrawn else ""
    flag = f"; flagged {transient.flag}" if transient.flag else ""
    later = f"; draft: {_short(transient.draft)}" if transient.draft and transient.revision is not None else ""
    return f"{_short(transient.status)}{flag}{gone}{later}"


def _short(status: str) -> str:
    how, colon, stages = status.partition(": ")
    names = stages.split(", ")
    return status if len(names) < 3 else f"{how}{colon}{names[0]} and {len(names) - 1} more"
