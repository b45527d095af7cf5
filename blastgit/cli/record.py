"""`blastgit record NAME --export FILE --data DIR`, `blastgit record ARCHIVE.tar.gz`, and references."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blastgit.cli.common import add_json, bold, drawn_progress, open_repo, plural, print_json
from blastgit.cli.parts.record_reference import add_arguments as add_reference_arguments
from blastgit.cli.parts.record_reference import record_reference, refuse_for_transients
from blastgit.errors import UsageError
from blastgit.naming.names import is_reference, parse_spec

if TYPE_CHECKING:
    from blastgit.api.personal import Personal
    from blastgit.api.repo import DataRepo
    from blastgit.recording.result import Recorded
    from blastgit.store.bucket import Bucket

_ARCHIVES = (".tar.gz", ".tgz", ".tar")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    words = "the transient, Blast's archive of it (.tar.gz), or a reference, r/TYPE/NAME"
    parser.add_argument("what", metavar="NAME|ARCHIVE", help=words)
    parser.add_argument("--export", metavar="FILE", help="the export that Blast wrote; - reads it from stdin")
    words = "the folder of cutout_cdn/NAME/ and sed_output/NAME/, or s3://BUCKET/FOLDER"
    parser.add_argument("--data", metavar="DIR", help=words)
    parser.add_argument(
        "--as", metavar="u/USER", dest="line", help="record in this user's own line instead of the official one"
    )
    words = "with --as: the revision that a new line forks from (default: the latest official one)"
    parser.add_argument("--from", metavar="NAME@N", dest="fork", help=words)
    parser.add_argument("--run", metavar="RUN", dest="run_name", help="the RUN collection of a new revision")
    words = "a revision of a reference that the run used (r/model/sbi-global@2), if not the latest; may be given again"
    parser.add_argument("--used", metavar="r/TYPE/NAME@N", action="append", default=[], help=words)
    parser.add_argument("--even-withdrawn", action="store_true", help="republish withdrawn files (admins only)")
    parser.add_argument("--dry-run", action="store_true", help="decide, but write nothing")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="how long to wait for another writer")
    add_reference_arguments(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Record, and print the result."""
    with drawn_progress() as progress:
        result = _record(open_repo(options, progress), options)
    if options.json:
        print_json({**result.to_json(), "dry_run": options.dry_run})
    else:
        say(result, dry_run=options.dry_run)
    return 0


def _record(repo: DataRepo, options: argparse.Namespace) -> Recorded:
    from blastgit.revision.document import SIZE_LIMIT

    extra: dict[str, Any] = {"run": options.run_name, "dry_run": options.dry_run}
    if options.timeout is not None:
        extra["timeout"] = options.timeout
    if is_reference(options.what):
        return record_reference(repo, options, even_withdrawn=options.even_withdrawn, **extra)
    refuse_for_transients(options)
    extra["used"] = options.used
    into: DataRepo | Personal = repo
    if options.line is not None:
        into, extra["user"], extra["fork"] = repo.personal, _user(options.line), options.fork
    elif options.fork is not None:
        raise UsageError("--from says which revision your own line forks from: give the line with --as u/USER")
    if options.even_withdrawn:
        if options.line is not None:
            raise UsageError("--even-withdrawn is for official revisions: leave out --as")
        extra["even_withdrawn"] = True
    if options.what.endswith(_ARCHIVES):
        if options.export or options.data:
            raise UsageError("an archive has its own export and files: leave out --export and --data")
        return into.record_archive(Path(options.what), **extra)
    if not options.export or not options.data:
        raise UsageError(f"recording {options.what} takes both --export FILE and --data DIR")
    export = sys.stdin.buffer.read(SIZE_LIMIT + 1) if options.export == "-" else Path(options.export)
    return into.record(options.what, export, _data(options.data), **extra)


def _user(line: str) -> str:
    user = line.removeprefix("u/").rstrip("/")
    if line == user or not user or "/" in user:
        raise UsageError(f"--as takes the owner of the line, u/USER, not {line!r}")
    return user


def _data(place: str) -> Path | Bucket:
    if not place.startswith("s3://"):
        return Path(place)
    from blastgit.store.bucket import Bucket
    from blastgit.store.bucket_url import place_of_url

    return Bucket(place_of_url(place))


def say(result: Recorded, *, dry_run: bool) -> None:
    """Print the result of recording."""
    if result.status == "unchanged":
        why = f", which was not published because {result.because}" if result.because else ""
        print(f"{bold(f'{result.transient} is unchanged')}: {result.reason}{why}")
        for file in result.files:
            print(f"  {file.change:13}  {file.path}{f'  ({file.note})' if file.note else ''}")
        _say_references(result, dry_run=dry_run)
        _say_ignored(result)
        return
    if result.status == "draft":
        _say_draft(result, dry_run=dry_run)
        return
    verb = "would be recorded as" if dry_run else "recorded as"
    print(f"{bold(f'{result.transient} {verb} revision {result.revision}')} ({result.tag}): {result.reason}")
    _say_changes(result, f"{result.transient}@{result.revision}", dry_run=dry_run)


def _say_draft(result: Recorded, *, dry_run: bool) -> None:
    """Print that a state was kept as a draft."""
    verb = "would be" if dry_run else "is"
    print(f"{bold(f'{result.transient} {verb} kept as a draft')} ({result.draft}), because {result.because}")
    print(f"  {result.reason}")
    _say_changes(result, str(result.draft), dry_run=dry_run)
    latest = f"the latest revision is still {result.before}" if result.before else "it has no revision yet"
    print(f"  {latest}; {result.transient}@{result.revision} comes when the run is complete")


def _say_changes(result: Recorded, name: str, *, dry_run: bool) -> None:
    stored = [file for file in result.files if file.change in ("added", "changed")]
    if result.before is not None:
        for file in result.files:
            print(f"  {file.change:13}  {file.path}{f'  ({file.note})' if file.note else ''}")
        count = plural(len(result.fields), "value")
        diff = f"blastgit diff {result.before} {name}"
        print(f"  {count} would change" if dry_run else f"  {count} changed: {diff}")
    print(f"  {plural(len(stored), 'file')} {'to store' if dry_run else 'stored'}")
    _say_references(result, dry_run=dry_run)
    _say_ignored(result)


def _say_references(result: Recorded, *, dry_run: bool) -> None:
    """Print which filters and surveys the export has changed, but not those that it is the first to use."""
    specs = [parse_spec(tag) for tag in result.references]
    changed = [str(spec) for spec in specs if spec.number]
    if changed:
        verb = "would change" if dry_run else "changed"
        print(f"  {plural(len(changed), 'reference')} {verb}: {', '.join(changed)}")


def _say_ignored(result: Recorded) -> None:
    from blastgit.revision.words import names

    if result.ignored:
        print(f"  {plural(len(result.ignored), 'leftover')} of other programs ignored: {names(result.ignored)}")
