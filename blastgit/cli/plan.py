"""`blastgit plan NAME[@REV]… [--in COLLECTION]`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from blastgit.cli.common import (
    add_json,
    bold,
    drawn_progress,
    key_values,
    open_repo,
    plural,
    print_data,
    print_json,
    print_table,
    read_names,
)
from blastgit.errors import UsageError

if TYPE_CHECKING:
    from blastgit.workflow.plan import Plan
    from blastgit.workflow.plans import Plans

_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    words = "the revisions to start from, or the marker of a stage (NAME@N:post-host-match)"
    parser.add_argument("specs", metavar="NAME[@REV]", nargs="*", help=words)
    words = "a collection; all its revisions are planned"
    parser.add_argument("--in", dest="collection", default="", metavar="COLLECTION", help=words)
    parser.add_argument("--from", dest="source", metavar="LIST", help="read more revisions, one a line; - for stdin")
    parser.add_argument(
        "--changed", metavar="WHAT", action="append", default=[],
        help="a stage, file, field or reference that changed, or must be remade; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--replace", metavar="PATH=NEW", action="append", default=[],
        help="a file or value of the dataset to replace; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--set", dest="settings", metavar="KEY=VALUE", action="append", default=[],
        help="a setting of the run's configuration to change; may be given again",
    )  # fmt: skip
    words = "only revisions that have this flag, or inherit it from a host, filter or model; !bad: only the others"
    parser.add_argument("--inherit-flags", metavar="FLAG", action="append", default=[], help=words)
    words = "leave out revisions that have or inherit this flag; the same as --inherit-flags '!FLAG'"
    parser.add_argument("--without-flag", metavar="FLAG", action="append", default=[], help=words)
    parser.add_argument("--all", action="store_true", dest="everything", help="all stages, as for an exact rerun")
    words = "print it for a scheduler: JSON with all inputs, a shell script, or Celery chains"
    parser.add_argument("--emit", choices=("json", "sh", "celery"), help=words)
    add_json(parser)
    parser.epilog = """\
Without options: the stages that failed or did not run, those whose inputs have changed since they ran, and those that
depend on them. For one revision, --json includes the exact inputs of each stage: values, and the SHA-256 of files; for
several, use --emit json.
"""


def run(options: argparse.Namespace) -> int:
    """Print what must run again, and what is left out."""
    given, settings = dict(map(_pair, options.replace)), key_values(options.settings, "--set")
    specs = [*options.specs, *(read_names(options.source) if options.source else ())]
    if not specs and not options.collection:
        raise UsageError("which revisions? Name at least one, or give --in COLLECTION or --from LIST")
    wanted: dict[str, Any] = {"given": given, "everything": options.everything, "settings": settings}
    inherited = [*options.inherit_flags, *(f"!{flag}" for flag in options.without_flag)]
    if len(specs) == 1 and not options.collection and not options.emit and not inherited:
        plan = open_repo(options).plan(specs[0], options.changed, **wanted)
        print_json(plan.to_json()) if options.json else _say(plan)
        return 0
    with drawn_progress(counts=True) as progress:
        plans = open_repo(options, progress).plan_all(
            specs,
            options.changed,
            collection=options.collection,
            with_inputs=options.emit == "json",
            inherited=inherited,
            **wanted,
        )
    if options.emit:
        print_data([plans.write(options.emit)])
    elif options.json:
        print_json(plans.to_json())
    else:
        _say_all(plans)
    return 0


def _pair(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if not (path and equals):
        raise UsageError(f"--replace takes PATH=NEW, not {text!r}")
    return path, value


def _say(plan: Plan) -> None:
    if not plan.steps:
        print(f"{bold(plan.revision)}: no stage must run again")
    else:
        print(f"{bold(plan.revision)}: {_count(plan)} must run again, {_start(plan)}")
        print_table([[f"  {step.stage}", "; ".join(step.why)] for step in plan.steps])
    from blastgit.workflow.reasons import UNCHANGED

    for reason, names in _by_reason(plan.left_out).items():
        if reason != UNCHANGED:  # which goes without saying
            print(f"  left out: {', '.join(names)}: {reason}")


def _count(plan: Plan) -> str:
    return f"{len(plan.steps)} of {plural(plan.total, 'stage')}"


def _start(plan: Plan) -> str:
    if plan.start is None:
        return "from the beginning"
    if plan.state is not None:
        return f"from {plan.state}"
    return f"from {plan.start} (its run left no such marker; {plan.revision} holds what it made)"


def _say_all(plans: Plans) -> None:
    for plan in plans.plans[:_SHOWN]:
        print(f"{bold(plan.revision)}: {_count(plan)}, from {plan.state or plan.start or 'the beginning'}")
        first = plan.steps[0]
        print(f"  {first.stage}: {'; '.join(first.why)}")
    if len(plans.plans) > _SHOWN:
        print(f"and {len(plans.plans) - _SHOWN:,} more: --json and --emit have all")
    for reason, names in _by_reason(plans.left_out).items():
        print(f"left out: {', '.join(names[:3])}{f' and {len(names) - 3:,} more' if len(names) > 3 else ''}, {reason}")


def _by_reason(left_out: dict[str, str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, reason in left_out.items():
        groups.setdefault(reason, []).append(name)
    return groups
