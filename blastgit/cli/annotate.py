"""`blastgit annotate SUBJECT… [--comment|--flag|--tag|--link|--attach|--supersedes|--retract]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, open_repo, plural, print_json, read_names
from blastgit.errors import InvalidInput, UsageError

if TYPE_CHECKING:
    from blastgit.annotations.annotation import AnnotationBody


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help="what to annotate; may be several")
    parser.add_argument("--from", dest="source", metavar="FILE", help="read more subjects, one a line; - for stdin")
    parser.add_argument("-m", "--comment", default="", metavar="TEXT", help="a comment; - reads it from stdin")
    parser.add_argument("--flag", default="", help="a quality flag: good, suspect, bad, unusable")
    parser.add_argument("--tag", action="append", default=[], help="a tag; may be given again")
    parser.add_argument("--link", default="", metavar="URL", help="a related ticket or page")
    parser.add_argument("--attach", type=Path, metavar="FILE", help="a file to attach, such as a plot")
    words = "replace an earlier annotation of these subjects; may be given again"
    parser.add_argument("--supersedes", action="append", default=[], metavar="ID", help=words)
    words = "retract an annotation; the comment says why; may be given again"
    parser.add_argument("--retract", action="append", default=[], metavar="ID", help=words)
    parser.add_argument("--bot", action="store_true", help="a program makes it: it does not override a human")
    words = "import annotations that were exported (JSON lines or ECSV); - for stdin"
    parser.add_argument("--import", dest="imported", metavar="FILE", help=words)
    parser.add_argument("--apply-rules", action="store_true", help="apply the rules of blastgit.yaml to all flags")
    words = "accept a transient or a host that is not in the repo yet"
    parser.add_argument("--announce", action="store_true", help=words)
    parser.add_argument("--dry-run", action="store_true", help="check, but write nothing")
    add_json(parser)
    parser.epilog = """\
SUBJECT is a revision (2026dgt@1), a file (2026dgt@1:cutout_cdn/DES/DES_z.fits, which stands for its content wherever
it occurs), a row or value (2026dgt@1:host.redshift), a transient (2026dgt; with --announce before it has data),
host:KEY, a reference (filter:DES_z, r/model/sbi-global@2), run:NAME, collection:NAME, or interval:BEGIN/END for a
time without data. With --supersedes or --retract it can be omitted. All annotations are written in one commit on the
branch annotations, or none at all.
"""


def run(options: argparse.Namespace) -> int:
    """Add, import or apply rules to annotations."""
    from blastgit.cli.notes import clone_or_repo

    annotations = open_repo(clone_or_repo(options)).annotations
    if options.imported:
        done = annotations.take_in(_read(options.imported), dry_run=options.dry_run)
    elif options.apply_rules:
        done = annotations.apply_rules(dry_run=options.dry_run)
    else:
        subjects = [*options.subjects, *_listed(options.source)]
        done = annotations.add(
            subjects,
            _remark(options),
            attach=options.attach,
            bot=options.bot,
            announce=options.announce,
            dry_run=options.dry_run,
        )
    if options.json:
        print_json(done.to_json())
        return 0
    verb = "would be added" if options.dry_run else "added"
    if options.apply_rules and not done.moved:
        print("no rule removes anything from a collection now")
    elif done.subjects == 0 and not done.moved:
        print("nothing new: already recorded")
    elif done.subjects:
        print(f"{plural(len(done.ids), 'annotation')} of {plural(done.subjects, 'subject')} {verb}")
    for name in done.ids[:10]:
        print(f"  {name}")
    for line in (*done.moved, *done.waiting):
        print(f"  {line}")
    return 0


def _remark(options: argparse.Namespace) -> AnnotationBody:
    from blastgit.annotations.annotation import AnnotationBody

    if options.retract and options.supersedes:
        raise UsageError("an annotation either retracts others or supersedes them")
    comment = options.comment
    if comment == "-":
        comment = _text(_read("-"), "the comment").rstrip("\n")
    replaced = tuple(dict.fromkeys(options.retract or options.supersedes))
    return AnnotationBody(
        comment, options.flag, tuple(dict.fromkeys(options.tag)), options.link, None, replaced, bool(options.retract)
    )


def _listed(source: str | None) -> list[str]:
    if source is None:
        return []
    return read_names(source)


def _text(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(f"{what} is not UTF-8 text") from None


def _read(source: str) -> bytes:
    from blastgit.annotations.exchange import SIZE_LIMIT

    try:
        if source == "-":
            data = sys.stdin.buffer.read(SIZE_LIMIT + 1)
        else:
            with Path(source).open("rb") as file:
                data = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise InvalidInput(f"{source} cannot be read: {error.strerror}") from None
    if len(data) > SIZE_LIMIT:
        raise InvalidInput(f"{source} has more than the {SIZE_LIMIT:,} bytes allowed")
    return data
