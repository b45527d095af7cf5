"""`blastgit cite NAME[@REV]|release/COLLECTION/VERSION`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, bold, drawn_progress, open_repo, plural, print_json, print_table, size_text
from blastgit.errors import DamagedData

if TYPE_CHECKING:
    from blastgit.releases.cite import Cited

FORMS = ("text", "bibtex", "cff", "datacite")  # as in releases/cite.py, which is slow to import


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("name", metavar="NAME", help="a revision, NAME@N, or release/COLLECTION/VERSION")
    words = "the format (default: text); cff is CITATION.cff, datacite the JSON of DataCite's metadata schema 4"
    parser.add_argument("--format", choices=FORMS, default="text", help=words)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the citation, and warn on stderr of what it lacks."""
    cited = open_repo(options).releases.cited(options.name)
    print_cited(cited, "datacite" if options.json else options.format)
    return 0


def print_cited(cited: Cited, form: str) -> None:
    """Print a citation in one of the `FORMS`, and warn on stderr of faults of the data and of what it lacks."""
    sys.stdout.write(cited.write(form))
    for sentence in (*cited.faults, *cited.citation.missing()):
        print(f"blastgit: {sentence}", file=sys.stderr)


def freeze(options: argparse.Namespace) -> int:
    """Freeze a collection: `blastgit collection freeze`."""
    from blastgit.plumbing.signing import Sign
    from blastgit.releases.freeze import FreezeOptions

    sign = Sign(options.key) if options.sign or options.key else None
    wanted = FreezeOptions(options.reason, options.doi, sign, options.dry_run)
    with drawn_progress(counts=True) as progress:
        made = open_repo(options, progress).releases.freeze(options.name, options.version, wanted)
    if options.json:
        print_json(made.to_json())
        return 0
    outcome = "would be made" if options.dry_run else f"made ({made.tag:.10})"
    signed = ", signed" if made.signed else ""
    print(f"{bold(str(made.label))} {outcome}{signed}")
    print(f"  {plural(made.datasets, 'dataset')}, {plural(made.files, 'file')}, {size_text(made.size)}")
    for other in made.same_as:
        print(f"  it has the same content as {other}")
    for warning in made.warnings:
        print(f"blastgit: {warning}", file=sys.stderr)
    return 0


def list_releases(options: argparse.Namespace) -> int:
    """List releases: `blastgit collection releases`. A damaged one does not hide the others."""
    releases = open_repo(options).releases
    found, damaged = [], {}
    for name in map(str, releases.list(options.pattern)):
        try:
            found.append(releases.show(name))
        except DamagedData as error:
            damaged[name] = str(error)
    if options.json:
        sound = [{"release": str(each.label), **each.head(), "datasets": len(each.entries)} for each in found]
        print_json([*sound, *({"release": name, "damaged": why} for name, why in damaged.items())])
    elif not found and not damaged:
        print("no release yet" if options.pattern == "*" else f"no release is called {options.pattern}")
    else:
        rows = [[str(each.label), each.kind, each.time[:10], f"{len(each.entries):,}", each.about] for each in found]
        print_table(rows, right=(3,))
    for why in damaged.values():
        print(f"blastgit: {why}", file=sys.stderr)
    return DamagedData.exit_code if damaged else 0
