"""`blastgit export NAME@N [DEST] --format blast|tree`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, bold, drawn_progress, open_repo, plural, print_json, size_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("spec", metavar="NAME[@REV]", help="the revision")
    parser.add_argument(
        "dest", nargs="?", help="the archive (default: NAME.tar.gz) or folder (default: the current one)"
    )
    parser.add_argument("--format", choices=("blast", "tree"), default="blast", help="(default: blast)")
    parser.add_argument("--force", action="store_true", help="overwrite files that differ")
    add_json(parser)
    parser.epilog = """\
blast: the archive that Blast's own importer reads. What it cannot read is adapted and reported.
tree:  cutout_cdn/NAME/… and sed_output/NAME/… with the files of the revision, and revisions/NAME/N/ with the document
       of each revision up to it and the files that the next one superseded.
Annotations of the revision are written to DEST.annotations.jsonl (NAME.annotations.jsonl) or annotations/NAME.jsonl.
"""


def run(options: argparse.Namespace) -> int:
    """Write the revision, and print what was adapted."""
    with drawn_progress() as progress:
        repo = open_repo(options, progress)
        done = repo.export(options.spec, options.dest, form=options.format, force=options.force)
    if options.json:
        print_json(done.to_json())
        return 0
    print(f"{bold(done.revision)}: {plural(done.files, 'file')}, {size_text(done.size)}, written to {done.path}")
    for note in done.notes:
        print(f"  {note}")
    if done.annotations:
        print(f"  its annotations are in {done.annotations}, for `blastgit annotate --import`")
    return 0
