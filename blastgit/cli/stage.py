"""`blastgit stage begin|finish|fail|end|drop NAME …`."""

from __future__ import annotations

import argparse
import os
import pwd
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blastgit.cli.common import add_json, drawn_progress, open_repo, print_json
from blastgit.cli.record import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from blastgit.recording.stages import Workflow
    from blastgit.repository.commits import StageState

VARIABLE = "BLASTGIT_OWNER"

_EPILOG = f"""\
Every stage leaves a marker under refs/workflow/NAME whose tree holds all results so far. Beginning a stage takes a
lease: other runs of the same transient must wait until it ends. `record` ends the run with a full export; `stage end`
ends it with the results of its stages. All commands of a run give the same owner, with --owner or in {VARIABLE}.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.epilog = _EPILOG
    verbs = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    begin = _add(verbs, "begin", "begin a stage and take its lease; repeat it to renew the lease", _begin)
    begin.add_argument(
        "--lease", metavar="TIME", default="1h", help="how long nobody else may take it over: 90m, 6h, 2d"
    )
    begin.add_argument("--wait", metavar="SECONDS", type=float, default=0.0, help="how long to wait for another run")
    finish = _add(verbs, "finish", "mark a stage as succeeded, and record its results", _finish)
    fail = _add(verbs, "fail", "mark a stage as failed, and say why", _fail)
    fail.add_argument("--reason", required=True, help="why, in a line")
    for ending in (finish, fail):
        ending.add_argument("--export", metavar="FILE", help="the rows and fields it made, or all; - reads stdin")
        ending.add_argument("--data", metavar="DIR", type=Path, help="the folder of cutout_cdn/NAME/, sed_output/NAME/")
        ending.add_argument("--only", metavar="PATTERN", action="append", default=[], help="only these files in it")
        _add_used(ending, "it was done with")
        ending.add_argument("--token", help="the lease printed by `begin`; refused if it is no longer held")
    end = _add(verbs, "end", "end the run with the results of its stages", _end, has_stage=False)
    end.add_argument("--run", metavar="RUN", dest="run_name", help="the RUN collection of a new revision")
    _add_used(end, "the run used")
    _add(verbs, "drop", "discard the run in progress", _drop, has_stage=False)


def _add(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],
    step: str,
    words: str,
    do: Callable[[Workflow, argparse.Namespace], None],
    *,
    has_stage: bool = True,
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(step, help=words, description=f"{words[0].upper()}{words[1:]}.")
    parser.add_argument("name", metavar="NAME", help="the transient")
    if has_stage:
        parser.add_argument("stage", metavar="STAGE", help="the stage: 'Host match', host-match")
    parser.add_argument("--owner", help=f"the owner of the run (default: {VARIABLE}, else this user's session)")
    add_json(parser)
    parser.set_defaults(do=do)
    return parser


def _add_used(parser: argparse.ArgumentParser, whose: str) -> None:
    words = f"a revision of a reference that {whose} (r/model/sbi-global@2), if not the latest; may be given again"
    parser.add_argument("--used", metavar="r/TYPE/NAME@N", action="append", default=[], help=words)


def run(options: argparse.Namespace) -> int:
    """Mark a stage, or end the run."""
    with drawn_progress() as progress:
        workflow = open_repo(options, progress).workflow(options.name, options.owner or _owner())
        options.do(workflow, options)
    return 0


def _owner() -> str:
    named = os.environ.get(VARIABLE)
    if named:
        return named
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = f"uid-{os.geteuid()}"
    return f"session {os.getsid(0)} of {user} on {socket.gethostname()}"


def _begin(workflow: Workflow, options: argparse.Namespace) -> None:
    from blastgit.maintenance.gc import read_duration

    lease = workflow.begin(options.stage, lease=read_duration(options.lease), wait=options.wait)
    if options.json:
        print_json({"transient": workflow.name, **lease.to_json()})
    else:
        print(lease.token)
        print(f"{workflow.name}: {lease.stage} begun; held until {lease.until:%Y-%m-%d %H:%M:%S} UTC", file=sys.stderr)


def _finish(workflow: Workflow, options: argparse.Namespace) -> None:
    _say(workflow.finish(options.stage, token=options.token, **_made(options)), options)


def _fail(workflow: Workflow, options: argparse.Namespace) -> None:
    _say(workflow.fail(options.stage, options.reason, token=options.token, **_made(options)), options)


def _made(options: argparse.Namespace) -> dict[str, Any]:
    export = None
    if options.export:
        export = sys.stdin.buffer.read() if options.export == "-" else Path(options.export)
    return {"export": export, "data": options.data, "only": options.only, "used": options.used}


def _say(state: StageState, options: argparse.Namespace) -> None:
    if options.json:
        fields = {"state": str(state), "stage": state.stage, "outcome": state.outcome, "commit": state.id}
        print_json({"transient": state.name, **fields})
    else:
        print(f"{state}  {state.id[:10]}")


def _end(workflow: Workflow, options: argparse.Namespace) -> None:
    result = workflow.end(run=options.run_name, used=options.used)
    if options.json:
        print_json({**result.to_json(), "dry_run": False})
    else:
        say(result, dry_run=False)


def _drop(workflow: Workflow, options: argparse.Namespace) -> None:
    dropped = workflow.drop()
    if options.json:
        print_json({"transient": workflow.name, "dropped": dropped})
    else:
        print(f"{workflow.name}: {'the run was discarded' if dropped else 'there was no run in progress'}")
