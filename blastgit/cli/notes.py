"""`blastgit notes [SUBJECT] [--inherited] [--history]`."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, bold, open_repo, plural, print_data, print_json
from blastgit.errors import UsageError, WouldOverwrite

if TYPE_CHECKING:
    from blastgit.annotations.query import Filter, Notes
    from blastgit.annotations.states import AnnotationStatus


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("subject", nargs="?", metavar="SUBJECT", help="the annotated subject (default: all)")
    words = "include annotations of the inputs that were actually used, with origin and distance"
    parser.add_argument("--inherited", action="store_true", help=words)
    parser.add_argument("--history", action="store_true", help="include superseded and retracted annotations")
    parser.add_argument("--flag", default="", help="only this flag; '!bad' for all without it")
    parser.add_argument("--tag", default="", metavar="PATTERN", help="only those with such a tag")
    parser.add_argument("--user", default="", metavar="PATTERN", help="only those of such users")
    parser.add_argument("--since", metavar="TIME", help="only from this time on (2026-05-27T03:00:00Z)")
    parser.add_argument("--until", metavar="TIME", help="only before this time")
    words = "print lines for `annotate --import`, here or in another repo"
    parser.add_argument("--export", choices=("jsonl", "ecsv"), help=words)
    parser.add_argument("--save", nargs=2, metavar=("ID", "FOLDER"), help="write the attachment of an annotation")
    add_json(parser)
    parser.epilog = "SUBJECT is written as for `blastgit annotate`. An interval shows all those that overlap it.\n"


def clone_or_repo(options: argparse.Namespace) -> argparse.Namespace:
    """Return options with the git folder as the repo if a clone with files was named: it has annotations, too."""
    location = options.repo or os.environ.get("BLASTGIT_REPO") or "."
    if "://" not in location and (Path(location) / ".git").is_dir():
        return argparse.Namespace(**{**vars(options), "repo": str(Path(location) / ".git")})
    return options


def run(options: argparse.Namespace) -> int:
    """Show annotations."""
    annotations = open_repo(clone_or_repo(options)).annotations
    if options.save:
        return _save(*annotations.attachment(options.save[0]), Path(options.save[1]))
    if options.inherited and not options.subject:
        raise UsageError("--inherited needs a subject: name one")
    chosen = _filter(options)
    if options.subject:
        found = annotations.about(options.subject, inherited=options.inherited)
        found = replace(found, notes=tuple(filter(chosen.admits, found.notes)))
    else:
        found = annotations.list(chosen)
    if found.unread:
        print(
            f"blastgit: {plural(found.unread, 'line')} cannot be read by this version, and are not shown",
            file=sys.stderr,
        )
    if options.export:
        print_data([annotations.export(found.notes, options.export).decode()])
    elif options.json:
        print_json(found.to_json())
    else:
        _print(found)
    return 0


def _filter(options: argparse.Namespace) -> Filter:
    from blastgit.annotations.query import Filter

    # The whole history is exported: the importing repo decides which annotations are current.
    whole = options.history or bool(options.export)
    return Filter(whole, options.flag, options.tag, options.user, _time(options.since), _time(options.until))


def _time(text: str | None) -> datetime | None:
    from blastgit.annotations.subjects import instant

    return None if text is None else instant(text)


def _print(found: Notes) -> None:
    from blastgit.annotations.describe import describe

    if found.own:
        print(bold(f"{found.subject}: {found.own}"))
    if found.inherited:
        print(f"an input that was used is flagged {found.inherited}")
    if not found.notes:
        print("no annotations" + (f" of {found.subject}" if found.subject else ""))
    for note in found.notes:
        print(*describe(note), sep="\n")
        _say_id(note)


def _say_id(note: AnnotationStatus) -> None:
    more = f", one of {plural(note.event.subjects, 'subject')}" if note.event.subjects > 1 else ""
    print(f"    {note.event.id}{more}")


def _save(name: str, data: bytes, folder: Path) -> int:
    target = folder / name
    if target.exists() and target.read_bytes() != data:
        raise WouldOverwrite(f"{target} exists and differs: move it away, or choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
    print(target)
    return 0
