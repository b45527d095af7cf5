"""`blastgit asof DAY [--in COLLECTION] [NAME…]`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from blastgit.cli.cite import FORMS, print_cited
from blastgit.cli.common import add_json, bold, drawn_progress, open_repo, plural, print_json, print_table
from blastgit.errors import BlastgitError, WouldOverwrite

if TYPE_CHECKING:
    from blastgit.api.repo import DataRepo
    from blastgit.releases.asof import AsOf, Since

_FILE = "asof.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("day", metavar="DAY", help="2026-06-15 (its end, UTC), or a time: 2026-06-15T12:00:00+02:00")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these transients; a name may be a shell pattern")
    words = "the collection of datasets, as of then (default: all transients and all certified datasets)"
    parser.add_argument("--in", dest="collection", default="", metavar="COLLECTION", help=words)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--get", metavar="FOLDER", type=Path, help="write all files, each revision into FOLDER/NAME@N")
    what.add_argument("--cite", nargs="?", const="text", choices=FORMS, help="print its citation (default: text)")
    what.add_argument("--diff", action="store_true", help="compare it with the present state")
    parser.add_argument("--exit-code", action="store_true", help="with --diff: end with 1 if there is a difference")
    add_json(parser)
    parser.epilog = """\
Shows the data that NAME@DAY names, the calibrations certified for that time, the flags set by then, and the collections
of main at the time. The answer stays the same later, unless data of that time are added.
"""


def run(options: argparse.Namespace) -> int:
    """Show, get or cite the state, or compare it with the present one."""
    with drawn_progress() as progress:
        repo = open_repo(options, progress)
        state = repo.asof(options.day, options.collection, names=options.names)
        if options.get is not None:
            return _get(repo, state, options.get)
    if options.cite is not None:
        print_cited(repo.asof_cited(state), "datacite" if options.json else options.cite)
        return 0
    if options.diff:
        changes = repo.asof_since(state, names=options.names)
        print_json(changes.to_json()) if options.json else _say_changes(changes)
        return int(bool(changes) and options.exit_code)
    print_json(state.to_json()) if options.json else _say(state)
    return 0


def _say(state: AsOf) -> None:
    main = f", main at {state.main:.10}" if state.main else ", before this data repo had settings and collections"
    datasets = plural(len(state.datasets), "dataset")
    print(f"{bold(state.collection or 'all transients')} as of {state.day}: {datasets}{main}")
    rows = []
    for each in state.datasets:
        begin, end = ("ever" if time is None else f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in (each.begin, each.end))
        validity = f"valid from {begin} until {end}" if each.is_certified else ""
        held = f"in {each.via[-1]}" if each.via and each.via[-1] != state.collection else ""
        flag = state.flags.get(str(each))
        rows.append([f"  {each}", held, ", ".join(filter(None, [validity, flag and f"flagged {flag}"]))])
    print_table(rows)


def _say_changes(changes: Since) -> None:
    if not changes:
        print(f"nothing differs from {changes.then.day}")
    for old, new in changes.datasets.replaced:
        print(f"! {old} -> {new}")
    for sign, texts in (("-", changes.datasets.removed), ("+", changes.datasets.added)):
        for text in texts:
            print(f"{sign} {text}")
    for name, (then, now) in changes.flags.items():
        print(f"! {name}: {f'flagged {then}' if then else 'no flag'} -> {f'flagged {now}' if now else 'no flag'}")


def _get(repo: DataRepo, state: AsOf, folder: Path) -> int:
    """Write all datasets, and `asof.json`, which describes them; a failure does not stop the others."""
    code, text = 0, json.dumps(state.to_json(), indent=1, ensure_ascii=False) + "\n"
    description = folder / _FILE
    if description.exists() and description.read_text("utf-8", "replace") != text:
        raise WouldOverwrite(f"{description} describes another state: choose another folder")
    for each in state.datasets:
        try:
            got = repo.get(str(each), folder / str(each.dataset.revision))
        except BlastgitError as error:
            print(f"blastgit: {each}: {error}", file=sys.stderr)
            code = code or error.exit_code
            continue
        print(f"{bold(got.revision)}: {plural(len(got.written), 'file')} written to {got.folder}")
    folder.mkdir(parents=True, exist_ok=True)
    description.write_text(text, "utf-8")
    return code
