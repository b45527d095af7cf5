"""`blastgit status [NAME]`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, bold, open_repo, plural, print_json, print_table

if TYPE_CHECKING:
    from blastgit.workflow.status import RunStatus, StageStatus


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("name", metavar="NAME", nargs="?", default="*", help="a transient, or a shell pattern")
    parser.add_argument("--all", action="store_true", help="each run in full, including stages that have not begun")
    parser.add_argument("--exit-code", action="store_true", help="end with 1 if a stage never ended")
    add_json(parser)
    parser.epilog = """\
A stage is `at work` while its lease lasts. If the lease expires without a result, the stage `never ended`: its worker
died or lost its connection, and the next run takes over.
"""


def run(options: argparse.Namespace) -> int:
    """Print the status of the runs in progress."""
    found = open_repo(options).status(options.name)
    if options.json:
        print_json([each.to_json() for each in found])
    elif not found:
        print("no run is in progress")
    for i, each in enumerate(() if options.json else found):
        _say(each, full=options.all or options.name != "*", first=i == 0)
    return 1 if options.exit_code and any(each.never_ended for each in found) else 0


def _say(status: RunStatus, *, full: bool, first: bool) -> None:
    if status.damage is not None or status.began is None:
        print(f"{bold(status.transient)}  cannot be read: {status.damage}")
        return
    done = sum(stage.state == "done" for stage in status.stages)
    count = f"{done} of {plural(len(status.stages), 'stage')} done"
    if full and not first:
        print()
    print(
        f"{bold(status.transient)}  towards revision {status.towards}, since {status.began:%Y-%m-%d %H:%M} UTC; {count}"
    )
    shown = [stage for stage in status.stages if full or stage.state not in ("done", "not begun")]
    print_table([["  " + stage.stage, stage.state, _facts(stage)] for stage in shown])


def _facts(stage: StageStatus) -> str:
    words = []
    if stage.reason:
        words.append(stage.reason)
    if stage.until is not None:
        from blastgit.workflow.lease import who

        words.append(f"{who(stage.owner or '', stage.host or '')}, lease until {stage.until:%Y-%m-%d %H:%M:%S} UTC")
    if stage.attempts > 1:
        words.append(f"{stage.attempts} attempts")
    return "; ".join(words)
