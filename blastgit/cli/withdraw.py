"""`blastgit withdraw NAME@N[:PATH] --reason TEXT`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, bold, open_repo, plural, print_json
from blastgit.errors import DamagedData

if TYPE_CHECKING:
    from blastgit.maintenance.withdraw import Withdrawal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    words = (
        "a revision or draft by its number, or a file or folder of it; or attachment:ID, as `blastgit attach` lists it"
    )
    parser.add_argument("spec", metavar="NAME@N[:PATH]", help=words)
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, in one line that everybody can read")
    parser.add_argument("--now", action="store_true", help="delete permanently at once, without the quarantine")
    parser.add_argument("--dry-run", action="store_true", help="report what would be done, but do nothing")
    add_json(parser)
    parser.epilog = """\
The tag and the document stay, and main gets a tombstone (withdrawn/NAME/N.yaml). Contents that nothing else needs go
into the store's quarantine, from which `gc --delete` deletes them after its grace period; with --now they are deleted
at once, and no command brings them back. It takes the role admin. A repo that does not own its store deletes nothing,
and reports where the bytes are. Small attachments in git stay there, and so do files that a storage rule keeps in git.
"""


def run(options: argparse.Namespace) -> int:
    """Withdraw files, and print what was deleted."""
    done = open_repo(options).withdraw(options.spec, options.reason, now=options.now, dry_run=options.dry_run)
    if options.json:
        print_json(done.to_json())
    else:
        _say(done)
    for ref, why in done.damaged.items():
        print(f"blastgit: {ref} is damaged: {why}", file=sys.stderr)
    return DamagedData.exit_code if done.damaged else 0


def _say(done: Withdrawal) -> None:
    would = "would be " if done.is_dry else ""
    print(f"{bold(f'{done.revision}: ' + plural(len(done.paths), 'file'))} {would}withdrawn: {done.reason}")
    if done.set_aside:
        print(
            f"  {plural(len(done.set_aside), 'content')} {would}set aside: `blastgit gc --delete` deletes them in time"
        )
    if done.removed or not done.set_aside:
        print(f"  {plural(len(done.removed), 'content')} {would}deleted from the store")
    for path in done.kept:
        print(f"  the content of {path} stays: another file that is not withdrawn has it too")
    for path in done.in_git:
        print(f"  {path} is in git itself: blastgit no longer hands it out, but every clone still has it")
    for sentence in done.staying:
        print(f"  {sentence}")
