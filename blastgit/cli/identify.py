"""`blastgit identify FILE…`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, bold, open_repo, plural, print_json

if TYPE_CHECKING:
    from blastgit.reading.identify import Identity

_FEW = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    words = "an export or a revision's document (.json), Blast's archive, the folder of a dataset, or any file"
    parser.add_argument("what", metavar="FILE", nargs="+", type=Path, help=words)
    parser.add_argument("--of", metavar="NAME", help="the transient whose files a single file is compared with")
    add_json(parser)
    parser.epilog = "The exit code is 0 if each of them is a published state, or a file of one; else 1."


def run(options: argparse.Namespace) -> int:
    """Print what each file is; return 0 if all were published."""
    repo = open_repo(options)
    found = [repo.identify(path, of=options.of) for path in options.what]
    if options.json:
        print_json([each.to_json() for each in found])
    else:
        for each in found:
            _say(each)
    return 0 if all(each.matches for each in found) else 1


def _say(found: Identity) -> None:
    if found.matches:
        how = "" if found.same_bytes else " by its values"
        also = f" (also {', '.join(found.matches[1:])})" if len(found.matches) > 1 else ""
        print(f"{bold(f'{found.label} is {found.matches[0]}')}{how}{also}")
        return
    near = f", nearest is {found.nearest}" if found.nearest else ""
    print(f"{bold(f'{found.label} is not a published state')}{near}: {found.reason}")
    for file in [file for file in found.files if file.counts][:_FEW]:
        print(f"  {file.change:13}  {file.path}{f'  ({file.note})' if file.note else ''}")
    for field in found.fields[:_FEW]:
        print(f"  {field.path}  {field.old} -> {field.new}")
    left = max(0, len(found.fields) - _FEW) + max(0, sum(file.counts for file in found.files) - _FEW)
    if left:
        print(f"  … and {plural(left, 'more difference')}")
