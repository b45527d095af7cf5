"""`blastgit replay --check RUN`."""

from __future__ import annotations

import argparse
from collections import Counter

from blastgit.cli.common import add_json, bold, open_repo, plural, print_json

_SHOWN = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--check", dest="run_name", metavar="RUN", required=True, help="the run of the replay")
    words = "the run that it repeats (default: compare each revision with the one that it was made from)"
    parser.add_argument("--of", metavar="RUN", default="", help=words)
    words = "a file or value that was replaced: it and what is made from it may differ; may be given again"
    parser.add_argument("--replaced", metavar="PATH", action="append", default=[], help=words)
    add_json(parser)
    parser.epilog = """\
Values and contents are compared as by `blastgit record`. The exit code is 1 if something differs unexpectedly.
`blastgit plan --all --emit json` prints what must run, and with which inputs.
"""


def run(options: argparse.Namespace) -> int:
    """Compare, and print what differs."""
    found = open_repo(options).replay_check(options.run_name, of=options.of, replaced=options.replaced)
    if options.json:
        print_json(found.to_json())
        return int(not found.is_faithful)
    counts = Counter(each.verdict for each in found.results)
    print(f"{bold(found.run)}: {', '.join(f'{count:,} {verdict}' for verdict, count in counts.items())}")
    for each in found.results:
        against = f", compared with {each.recorded}" if each.recorded and each.recorded != each.dataset else ""
        print(f"  {each.dataset or 'nothing'} {each.verdict}{against}")
        for word, paths in (("differs", each.differing), ("follows from what was replaced", each.following)):
            if paths:
                more = f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
                print(f"    {plural(len(paths), 'path')} {word}: {', '.join(paths[:_SHOWN])}{more}")
    return int(not found.is_faithful)
