"""`blastgit get NAME[@REV] [DEST]`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blastgit.cli.common import (
    add_even_invalid,
    add_json,
    add_strict,
    bold,
    drawn_progress,
    open_repo,
    plural,
    print_json,
    read_names,
    size_text,
    tell_real_name,
    warn_invalid,
    warn_out_of_date,
)
from blastgit.errors import BlastgitError, UsageError

if TYPE_CHECKING:
    from blastgit.reading.get import GetResult


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("spec", nargs="?", metavar="NAME[@REV]", help="the revision, or release/COLLECTION/VERSION")
    parser.add_argument("dest", nargs="?", help="the folder to write to (default: NAME@N, or COLLECTION-VERSION)")
    words = "get each revision of a list, one a line (- reads stdin), into DEST/NAME@N"
    parser.add_argument("--from", dest="source", metavar="LIST", help=words)
    parser.add_argument(
        "--only", metavar="GLOB", help="only the files whose path or name matches, or a folder of the dataset"
    )
    parser.add_argument("--force", action="store_true", help="overwrite files that differ")
    add_even_invalid(parser)
    add_strict(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Get the files."""
    if options.source is not None:
        return _get_all(options)
    if options.spec is None:
        raise UsageError("which revision? Name one, or give a list of them with --from")
    with drawn_progress() as progress:
        repo = open_repo(options, progress)
        if options.spec.startswith("release/"):
            if options.strict:
                raise UsageError("a release is written as it was frozen: --strict is for revisions")
            got = repo.releases.get(options.spec, options.dest, only=options.only, force=options.force)
        else:
            got = repo.get(options.spec, options.dest, **_how(options))
    tell_real_name(got.asked, got.revision)
    if options.json:
        print_json(got.to_json())
    else:
        _say(got)
    return 0


def _how(options: argparse.Namespace) -> dict[str, Any]:
    return {key: getattr(options, key) for key in ("only", "force", "even_invalid", "strict")}


def _get_all(options: argparse.Namespace) -> int:
    """Get each revision of a list; a failure does not stop the others."""
    if options.dest is not None:
        raise UsageError("with --from give at most one name: the folder for all of them")
    found, code = [], 0
    with drawn_progress() as progress:
        repo = open_repo(options, progress)
        for name in dict.fromkeys(read_names(options.source)):
            folder = Path(options.spec or ".") / name
            try:
                got = repo.get(name, folder, **_how(options))
            except BlastgitError as error:
                print(f"blastgit: {name}: {error}", file=sys.stderr)
                code = code or error.exit_code
                continue
            found.append(got)
            if not options.json:
                _say(got)
    if options.json:
        print_json([got.to_json() for got in found])
    if not found and not code:
        print("blastgit: the list is empty: there is nothing to get", file=sys.stderr)
    return code


def _say(got: GetResult) -> None:
    kept = f", {len(got.kept)} were there already" if got.kept else ""
    written = f"{plural(len(got.written), 'file')} written to {got.folder}"
    print(f"{bold(got.revision)}: {written}{kept}, {size_text(got.size)} verified")
    for text, count in Counter(got.remarks.values()).items():
        print(f"  {plural(count, 'file')} {text}")
    for why, count in Counter(got.not_made.values()).items():
        print(f"  {plural(count, 'file')} not made yet: {why}")
    warn_invalid(got.invalid)
    warn_out_of_date(got.out_of_date)
