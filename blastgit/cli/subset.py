"""`blastgit subset DEST --from LIST`."""

from __future__ import annotations

import argparse
from pathlib import Path

from blastgit.cli.common import add_json, bold, drawn_progress, open_repo, plural, print_json, read_input, size_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("dest", metavar="DEST", help="the data repo to make")
    what = "a file with a line NAME@N, or NAME@N:PATH, for each revision (- reads stdin), or a collection or release"
    parser.add_argument("--from", dest="source", metavar="LIST", required=True, help=what)
    parser.add_argument("--only", metavar="GLOB", help="only the files whose path or name matches, or a folder of them")
    parser.add_argument("--store", metavar="URL", help="where its contents go (default: a folder inside it)")
    add_json(parser)
    parser.epilog = """\
The references that the revisions were made with come along, such as filters and trained models. Commits and tags are
the same as here, so a citation of either repo names the same bytes. Older revisions come along without contents of
their own; `blastgit show` and `get` say of each file that it was left out. Since tags never change, plain DVC in a
clone has to be told the new store: blastgit setup CLONE, or dvc remote modify --local store url URL
"""


def run(options: argparse.Namespace) -> int:
    """Make the subset, and print what is in it."""
    from blastgit.maintenance.subset import read_list
    from blastgit.revision.words import names

    with drawn_progress() as progress:
        repo = open_repo(options, progress)
        listed = _listed(options.source)
        chosen = options.source if listed is None else read_list(listed)
        made = repo.subset(options.dest, chosen, only=options.only, store=options.store)
    if options.json:
        print_json(made.to_json())
        return 0
    print(f"{bold(str(made.path))}: {plural(len(made.revisions), 'revision')}, {plural(made.files, 'file')}")
    print(f"  {plural(made.contents, 'content')}, {size_text(made.size)}, each verified")
    if made.references:
        print(f"  {plural(len(made.references), 'reference')} that they were made with: {names(made.references)}")
    if made.left_out:
        print(f"  {plural(made.left_out, 'file')} of these and older revisions left out")
    if made.annotations:
        print(f"  annotations of {plural(made.annotations, 'subject')}")
    print("  plain DVC in a clone of it: blastgit setup CLONE, or, without blastgit:")
    print(f"    dvc remote modify --local store url {made.store}")
    return 0


def _listed(source: str) -> str | None:
    """Return the text of a list, or None if there is no such file; the source is then a collection."""
    return read_input(source) if source == "-" or Path(source).exists() else None
