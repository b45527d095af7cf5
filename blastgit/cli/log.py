"""`blastgit log NAME`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, bold, open_repo, plural, print_json
from blastgit.naming.trailers import Trailer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blastgit.reading.drafts import KeptDraft
    from blastgit.reading.log import Entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("name", help="the transient")
    parser.add_argument("--full", action="store_true", help="every recorded change, not just the files")
    words = "states that were not published because their workflow failed or broke off, instead of the revisions"
    parser.add_argument("--drafts", action="store_true", help=words)
    parser.add_argument("--stages", action="store_true", help="the stages of the run that made each revision")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the history."""
    repo = open_repo(options)
    if options.drafts:
        return _drafts(repo.drafts(options.name), options)
    entries = repo.log(options.name)
    if options.json:
        print_json([entry.to_json() for entry in entries])
        return 0
    for draft in repo.drafts(options.name):
        if draft.is_open:
            _say_draft(draft, full=options.full)
            print()
    for i, entry in enumerate(entries):
        if i:
            print()
        _say(entry, full=options.full, stages=options.stages)
    return 0


def _drafts(drafts: Sequence[KeptDraft], options: argparse.Namespace) -> int:
    if options.json:
        print_json([draft.to_json() for draft in drafts])
    elif not drafts:
        print(f"{options.name} has no drafts")
    for i, draft in enumerate(() if options.json else drafts):
        if i:
            print()
        _say_draft(draft, full=options.full)
    return 0


def _say_draft(kept: KeptDraft, *, full: bool) -> None:
    draft = kept.draft
    print(f"{bold(str(draft))}  {draft.time:%Y-%m-%d %H:%M} UTC  {draft.app_version}  {draft.id[:10]}")
    print(f"  kept as a draft, because {kept.why}{'' if kept.is_open else '; a later state took its place'}")
    print(f"  {draft.reason}")
    for line in kept.details if full else ():
        print(f"    {line}")


def _say(entry: Entry, *, full: bool, stages: bool) -> None:
    revision = entry.revision
    print(f"{bold(str(revision))}  {revision.time:%Y-%m-%d %H:%M} UTC  {revision.app_version}  {revision.id[:10]}")
    print(f"  {revision.reason}")
    if revision.trailers.get(Trailer.FORKED_FROM):
        print(f"  forks from {revision.trailers[Trailer.FORKED_FROM]}")
    if revision.trailers.get(Trailer.RUN):
        print(f"  run: {revision.trailers[Trailer.RUN]}")
    _say_validity(entry)
    if entry.flag:
        print(f"  flagged {entry.flag}")
    for reason in dict.fromkeys(entry.withdrawn.values()):
        paths = [path for path, other in entry.withdrawn.items() if other == reason]
        print(f"  {paths[0] if len(paths) == 1 else plural(len(paths), 'file')} {reason}")
    if full:
        for line in entry.details:
            print(f"    {line}")
    elif revision.number:
        for file in entry.files:
            print(f"    {file['change']:8} {file['path']}")
    for stage in entry.stages if stages else ():
        times = f", {stage.mark.attempts} attempts" if stage.mark.attempts > 1 else ""
        print(f"    {stage.mark.words}, {stage.time:%Y-%m-%d %H:%M} UTC{times}  {stage.commit[:10]}")
    for again in entry.reproductions:
        print(f"  {again}")


def _say_validity(entry: Entry) -> None:
    for failure in entry.failures:
        print(f"  {failure}")
    for finding in entry.invalid:
        print(f"  invalid, because {finding}" if len(entry.failures) > 1 else f"  invalid: {finding.what}")
    for finding in entry.out_of_date:
        print(f"  out of date, because {finding}")
