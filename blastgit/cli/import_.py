"""`blastgit import SOURCE`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, bold, drawn_progress, key_values, open_repo, plural, print_json, size_text
from blastgit.errors import UsageError
from blastgit.exchange.other_repo import is_data_repo
from blastgit.naming.paths import ROOTS

if TYPE_CHECKING:
    from blastgit.exchange.run import Import


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    words = (
        "the folder or s3://BUCKET/FOLDER with cutout_cdn/ and sed_output/ of a Blast, a folder of its archives, or "
        "another data repo (a folder or URL)"
    )
    parser.add_argument("source", metavar="SOURCE", help=words)
    words = "the folder of the exports, NAME.json or NAME/export.json (default: SOURCE/exports)"
    parser.add_argument("--exports", metavar="DIR", help=words)
    words = "what a bucket needs besides its URL: endpointurl=…, region=…; may be given again"
    parser.add_argument("--source-option", metavar="KEY=VALUE", action="append", default=[], help=words)
    parser.add_argument(
        "--run", dest="collection", metavar="RUN", help="the RUN collection of the new revisions (default: legacy/DATE)"
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="number of processes (default: one per processor)")
    words = "let the workers of a Celery broker do it (docs/adopting.md)"
    parser.add_argument("--celery", metavar="BROKER", help=words)
    words = (
        "how to take files in: copy (default); reflink shares their blocks on disk (Btrfs, XFS); hardlink makes the "
        "files themselves contents of the store, if nobody may rewrite them; inplace leaves them where they are"
    )
    parser.add_argument("--mode", choices=["copy", "reflink", "hardlink", "inplace"], help=words)
    parser.add_argument("--reflink", action="store_true", help="the same as --mode reflink")
    parser.add_argument("--skipped", metavar="FILE", help="write what was skipped, and why, to a file")
    words = "only the transients whose name matches; for another data repo, u/USER/* means your own lines"
    parser.add_argument("--only", metavar="GLOB", help=words)
    parser.add_argument("--without", metavar="GLOB", default="", help="leave out those whose name matches")
    parser.add_argument("--dry-run", action="store_true", help="check everything, but change nothing")
    add_json(parser)
    parser.epilog = """\
From another data repo, the official revisions that are missing here are copied, with the same commits, tags and
contents.

From a Blast, every transient that is not here yet becomes revision 0; those that cannot be read are skipped. The
command can be repeated: what is done stays done. The exit code is 4 if anything was skipped.
"""


def run(options: argparse.Namespace) -> int:
    """Import, and print what was skipped."""
    if is_data_repo(options.source):
        return _take_in(options)
    with drawn_progress(counts=True) as progress:
        repo = open_repo(options, progress)
        done = repo.import_all(
            options.source,
            exports=options.exports,
            run=options.collection,
            jobs=options.jobs,
            broker=options.celery,
            reflink=options.reflink,
            mode=options.mode,
            only=options.only or "*",
            without=options.without,
            dry_run=options.dry_run,
            options=key_values(options.source_option, "--source-option"),
        )
    if options.skipped:
        with open(options.skipped, "w", encoding="utf-8") as file:  # noqa: PTH123 (/dev/stdout works too)
            file.writelines(f"{name}\t{reason}\n" for name, reason in sorted(done.skipped.items()))
            file.writelines(f"{name}\tit lies beside {' and '.join(ROOTS)}\n" for name in done.strays)
    if options.json:
        print_json({**done.to_json(), "dry_run": options.dry_run})
        return 4 if done.skipped else 0
    adopted, size = bold(plural(done.adopted, "transient")), size_text(done.size)
    would = "would be " if options.dry_run else ""
    print(f"{adopted} {would}adopted into {done.run}: {plural(done.files, 'file')}, {size}{_TAKEN.get(done.mode, '')}")
    _tell_borrowed(done)
    if done.present:
        print(f"  {done.present:,} were here already{_how_known(done)}")
    if done.ignored:
        print(f"  {plural(done.ignored, 'leftover')} of other programs ignored")
    if done.strays:
        some = ", ".join(done.strays[:5]) + (", …" if len(done.strays) > 5 else "")
        print(f"  not looked at, since it lies beside {' and '.join(ROOTS)}: {some}")
    for name, reason in sorted(done.skipped.items())[:20]:
        print(f"  skipped {name}: {reason}")
    if len(done.skipped) > 20:
        print(f"  and {len(done.skipped) - 20:,} more skipped: --skipped FILE lists them all")
    return 4 if done.skipped else 0


_TAKEN = {"hardlink": ", hard-linked", "inplace": ", in place", "reflink": ", blocks shared"}


def _tell_borrowed(done: Import) -> None:
    """Print what to know about files that were not copied."""
    if done.store and done.adopted:
        print(f"  {done.store} has a link to each: plain dvc pull reads these, where the tree has the same path")
    if done.mode in ("hardlink", "inplace") and done.adopted:
        print("  they must not be rewritten from now on; `blastgit verify` names those that have changed")
    if done.rewritable:
        files = plural(done.rewritable, "file")
        print(f"blastgit: {files} may be rewritten, which would damage what is published: chmod a-w", file=sys.stderr)


def _how_known(done: Import) -> str:
    """Return which transients were compared, and which were not."""
    if not done.untouched:
        return ", and equal"
    equal = done.present - done.untouched
    compared = f"{equal:,} equal, " if equal else ""
    return f": {compared}{done.untouched:,} not read again, since neither export nor files were touched"


def _take_in(options: argparse.Namespace) -> int:
    """Import from another data repo, and print what was imported."""
    others = ("exports", "collection", "jobs", "celery", "skipped", "reflink", "mode", "source_option", "without")
    if any(getattr(options, key) for key in others):
        raise UsageError(f"{options.source} is a data repo: only --only, --dry-run and --json go with that")
    with drawn_progress() as progress:
        done = open_repo(options, progress).take_in(options.source, options.only or "*", dry_run=options.dry_run)
    if options.json:
        print_json({**done.to_json(), "dry_run": options.dry_run})
        return 0
    came = "would come" if options.dry_run else "came"
    print(f"{bold(plural(len(done.revisions), 'revision'))} {came} from {done.source}")
    print(f"  {plural(done.contents, 'content')}, {size_text(done.size)}, each verified")
    if done.present:
        print(f"  {plural(done.present, 'transient')} had nothing new")
    if done.staying:
        lines = f"{plural(len(done.staying), 'line')} of users' own"
        print(f"  not brought: {lines}, such as {done.staying[0]}; each user brings theirs (--only 'u/USER/*')")
    return 0
