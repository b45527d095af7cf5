"""Plans for many transients at once, and their formats for programs that run stages."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from blastgit.errors import BlastgitError, NotFound
from blastgit.progress import Progress, silent
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision, UnpublishedState
from blastgit.workflow.plan import Plan, Planner
from blastgit.workflow.wish import Wish

FORMS = ("json", "sh", "celery")

_NOTHING = "no stage must run again"


@dataclass(frozen=True)
class Plans:
    """What must run again of many transients.

    Attributes:
        plans: The plan of each transient of which a stage must run.
        left_out: What was asked for and has no plan, each with the reason.
    """

    plans: list[Plan] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return them under their stable keys."""
        return {"plans": [each.to_json() for each in self.plans], "left_out": self.left_out}

    def write(self, form: str) -> str:
        """Return the plans in one of `FORMS`, with a trailing newline.

        `sh` is a script that calls the command in `RUN_STAGE` with a transient and a stage, stage by stage. `celery`
        is JSON: a list of chains, one per transient, each for `celery.canvas.Signature.from_dict`.
        """
        if form == "sh":
            return "\n".join(_script(self)) + "\n"
        value: Any = [_chain(each) for each in self.plans] if form == "celery" else self.to_json()
        return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def plan_all(
    repository: Repository,
    states: Iterable[tuple[str, Revision | UnpublishedState | None]],
    wish: Wish,
    progress: Progress = silent,
) -> Plans:
    """Return the plans for many states; what cannot be planned is left out, with the reason.

    Args:
        repository: The data repo.
        states: What was asked for, and the state that it is; None if it has no revision.
        wish: What else changed.
        progress: Called with states planned.

    Raises:
        NotFound: None of them has a stage, file, field or setting that is said to have changed.
    """
    planner, found = Planner(repository, wish), Plans()
    unknown: NotFound | None = None
    asked = list(states)
    for done, (text, state) in enumerate(asked):
        progress("planning", done, len(asked))
        if state is None:
            found.left_out[text] = "it has no revision"
            continue
        try:
            plan = planner.plan(state)
        except NotFound as error:
            unknown, found.left_out[str(state)] = error, str(error)
            continue
        except BlastgitError as error:
            found.left_out[str(state)] = str(error)
            continue
        if plan.steps:
            found.plans.append(plan)
        else:
            found.left_out[str(state)] = _NOTHING
    if unknown is not None and not found.plans and _NOTHING not in found.left_out.values():
        raise unknown
    return found


def _script(plans: Plans) -> Iterator[str]:
    yield "#!/bin/sh"
    yield "# What must run again, by `blastgit plan`. RUN_STAGE is a command that is given a transient and a stage."
    yield "set -e"
    yield ': "${RUN_STAGE:?name a command that is given a transient and a stage}"'
    for plan in plans.plans:
        begin = f"from {plan.state}" if plan.state else f"from {plan.start} of {plan.revision}" if plan.start else ""
        yield f"\n# {plan.revision}: {len(plan.steps)} of {plan.total} stages, {begin or 'from the beginning'}"
        for path, new in plan.given.items():
            yield f"# with {_line(new)} in the place of {_line(path)}"
        for key, (old, new) in plan.settings.items():
            yield f"# with {_line(key)} = {_line(new)}, which was {_line(str(old))}"
        for step in plan.steps:
            yield f"$RUN_STAGE {shlex.quote(plan.transient)} {shlex.quote(step.stage)}"


def _line(text: str) -> str:
    """Return a text that cannot leave a comment."""
    return json.dumps(text, ensure_ascii=True)[1:-1]


def _chain(plan: Plan) -> dict[str, Any]:
    tasks: list[dict[str, Any]] = [
        {
            "task": step.task, "args": [plan.transient], "kwargs": {}, "options": {}, "subtask_type": None,
            "immutable": True,
        }
        for step in plan.steps
    ]  # fmt: skip
    return {
        "task": "celery.chain", "args": [], "kwargs": {"tasks": tasks}, "options": {}, "subtask_type": "chain",
        "immutable": False,
    }  # fmt: skip
