"""`blastgit plan NAME[@REV]`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from blastgit.cli.common import add_json, bold, open_repo, plural, print_json, print_table
from blastgit.errors import UsageError

if TYPE_CHECKING:
    from blastgit.workflow.plan import Plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("spec", metavar="NAME[@REV]", help="the revision to start from")
    parser.add_argument(
        "--changed", metavar="WHAT", action="append", default=[],
        help="a stage, file or field that changed, or shall be made anew; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--replace", metavar="PATH=NEW", action="append", default=[],
        help="a file or value of the dataset that something else shall stand for; may be given again",
    )  # fmt: skip
    parser.add_argument("--all", action="store_true", dest="everything", help="all stages, as for an exact rerun")
    add_json(parser)
    parser.epilog = """\
Without options: the stages that failed or did not run, those whose inputs have changed since they ran, and what follows
from them. --json tells for each stage the exact inputs: values, and the SHA-256 of files.
"""


def run(options: argparse.Namespace) -> int:
    """Tell what must run again."""
    given = dict(_pair(text) for text in options.replace)
    plan = open_repo(options).plan(options.spec, options.changed, given=given, everything=options.everything)
    if options.json:
        print_json(plan.to_json())
    else:
        _say(plan)
    return 0


def _pair(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not (path and equals):
        raise UsageError(f"--replace takes PATH=NEW, not {text!r}")
    return path, value


def _say(plan: Plan) -> None:
    if not plan.steps:
        print(f"{bold(plan.revision)}: no stage must run again")
        return
    if plan.start is None:
        start = "from the beginning"
    elif plan.state is not None:
        start = f"from {plan.state}"
    else:
        start = f"from {plan.start} (its run left no such marker; {plan.revision} holds what it made)"
    print(f"{bold(plan.revision)}: {len(plan.steps)} of {plural(plan.total, 'stage')} must run again, {start}")
    print_table([[f"  {step.stage}", "; ".join(step.why)] for step in plan.steps])
