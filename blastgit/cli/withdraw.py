"""`blastgit withdraw NAME@N[:PATH] --reason TEXT`."""

from __future__ import annotations

import argparse

from blastgit.cli.common import add_json, bold, open_repo, plural, print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    words = "a revision by its number, or a file or folder of it; or attachment:ID, as `blastgit attach` lists it"
    parser.add_argument("spec", metavar="NAME@N[:PATH]", help=words)
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, in one line that everybody will read")
    add_json(parser)
    parser.epilog = """\
The tag and the document stay, and main keeps a tombstone (withdrawn/NAME/N.yaml). Contents that no other file
has are deleted from the store at once, and no command brings them back. It takes the role admin. Attachments that
are small enough to lie in git stay there, and so do files that a rule of storage keeps in git.
"""


def run(options: argparse.Namespace) -> int:
    """Take it down, and say what is gone."""
    done = open_repo(options).withdraw(options.spec, options.reason)
    if options.json:
        print_json(done.to_json())
        return 0
    print(f"{bold(f'{done.revision}: ' + plural(len(done.paths), 'file'))} withdrawn: {done.reason}")
    print(f"  {plural(len(done.removed), 'content')} deleted from the store")
    for path in done.kept:
        print(f"  the content of {path} stays: another file that is not withdrawn has it too")
    for path in done.in_git:
        print(f"  {path} lies in git itself: blastgit hands it out no more, and every clone still has it")
    return 0
