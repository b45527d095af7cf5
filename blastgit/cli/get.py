"""`blastgit get NAME[@REV] [DEST]`."""

from __future__ import annotations

import argparse
from collections import Counter

from blastgit.cli.common import (
    add_even_invalid,
    add_json,
    bold,
    drawn_progress,
    open_repo,
    plural,
    print_json,
    size_text,
    tell_real_name,
    warn_invalid,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("spec", metavar="NAME[@REV]", help="the revision, or release/COLLECTION/VERSION")
    parser.add_argument("dest", nargs="?", help="the folder to write to (default: NAME@N, or COLLECTION-VERSION)")
    parser.add_argument(
        "--only", metavar="GLOB", help="just the files whose path or name matches, or a folder of the dataset"
    )
    parser.add_argument("--force", action="store_true", help="overwrite files that differ")
    add_even_invalid(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Get the files."""
    with drawn_progress() as progress:
        repo = open_repo(options, progress)
        if options.spec.startswith("release/"):
            got = repo.releases.get(options.spec, options.dest, only=options.only, force=options.force)
        else:
            got = repo.get(
                options.spec, options.dest, only=options.only, force=options.force, even_invalid=options.even_invalid
            )
    tell_real_name(got.asked, got.revision)
    if options.json:
        print_json(got.to_json())
        return 0
    kept = f", {len(got.kept)} were there already" if got.kept else ""
    written = f"{plural(len(got.written), 'file')} written to {got.folder}"
    print(f"{bold(got.revision)}: {written}{kept}, {size_text(got.size)} verified")
    for text, count in Counter(got.remarks.values()).items():
        print(f"  {plural(count, 'file')} {text}")
    warn_invalid(got.invalid)
    return 0
