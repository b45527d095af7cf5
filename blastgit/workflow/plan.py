"""Where to restart: which stages must run again, and from which marker, by what they declare to read and make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from blastgit.errors import InvalidInput
from blastgit.naming.names import is_reference
from blastgit.naming.trailers import Trailer
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision, Snapshot, StageState, UnpublishedState
from blastgit.repository.configuration import settings_of
from blastgit.repository.history import History
from blastgit.revision.compare import jsonable
from blastgit.workflow.patterns import Patterns
from blastgit.workflow.reasons import Reasons
from blastgit.workflow.stages import Stage, Stages
from blastgit.workflow.view import View
from blastgit.workflow.wish import Wish, effect_of


@dataclass(frozen=True)
class Step:
    """A stage that must run again.

    Attributes:
        stage: The stage.
        why: The reasons, in words.
        inputs: What it reads that no earlier step remakes: the value, or the SHA-256 of a file, by path.
        task: The name of its Celery task.
    """

    stage: str
    why: list[str]
    inputs: dict[str, Any]
    task: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {"stage": self.stage, "why": self.why, "inputs": self.inputs}


@dataclass(frozen=True)
class Plan:
    """What must run again.

    Attributes:
        revision: The revision, or the marker, that it starts from.
        app_version: The version of Blast that made it.
        steps: The stages, in the order in which they must run.
        total: The number of all stages.
        start: The last marker before the first of them, `post-host-match`; None for the beginning.
        state: That marker, if the revision's run has it, `2026dgt@1:post-host-match`, or else None.
        commit: The commit of the state to start from: that marker's, or the revision's.
        given: The inputs to replace.
        settings: The settings to change, each with the recorded value, or None, and the new one.
        left_out: The stages that need not run, and requested changes without effect, each with the reason.
    """

    revision: str
    app_version: str
    steps: list[Step]
    total: int
    start: str | None
    state: str | None
    commit: str
    given: dict[str, str]
    settings: dict[str, tuple[Any, str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def transient(self) -> str:
        """The transient."""
        return self.revision.partition("@")[0]

    def to_json(self) -> dict[str, Any]:
        """Return the plan under its stable keys."""
        return {
            "revision": self.revision, "app_version": self.app_version, "from": self.start, "marker": self.state,
            "commit": self.commit, "stages": [step.to_json() for step in self.steps], "total": self.total,
            "given": self.given,
            "settings": {key: {"recorded": old, "set": new} for key, (old, new) in self.settings.items()},
            "left_out": self.left_out,
        }  # fmt: skip


def plan(repository: Repository, state: Revision | UnpublishedState, wish: Wish) -> Plan:
    """Return which stages must run again: those that failed, those whose inputs changed since, and dependent ones.

    Args:
        repository: The data repo.
        state: The state to start from: a revision, a draft, or a marker of a stage.
        wish: Further changes.

    Raises:
        InvalidInput: It is a reference, which has no workflow.
        NotFound: A change is not of a stage, file, field or setting.
    """
    return Planner(repository, wish).plan(state)


class Planner:
    """Makes plans for many states by one wish, evaluating the wish only once."""

    def __init__(self, repository: Repository, wish: Wish) -> None:
        """Read the stages of a data repo."""
        self._repository = repository
        self._wish = wish
        self._stages = Stages.of(repository.settings)
        self._effects = {text: effect_of(self._stages, text) for text in (*wish.changed, *wish.given)}
        self._recorded: dict[str | None, dict[str, Any]] = {}

    def plan(self, state: Revision | UnpublishedState) -> Plan:
        """Return the plan for one state; see `plan`."""
        if is_reference(state.name):
            raise InvalidInput(f"{state} is a reference: no workflow makes it, so it has no stages to plan")
        wish = self._wish
        found = Reasons(self._repository, state, self._stages)
        recorded = self._settings(state)
        why = found.all(wish, self._effects, recorded)
        markers = History(self._repository).stages(state) if isinstance(state, Revision) else []
        order = _order(self._stages, markers)
        steps = [stage for stage in order if stage.name in why]
        start = self._stages.find(state.slug) if isinstance(state, StageState) else _before(order, steps)
        marker = next((each for each in reversed(markers) if start and each.slug == start.slug), None)
        begin = marker or state
        view = View.of(begin, self._repository.rules) if wish.with_inputs else None
        inputs = [{} if view is None else _inputs(view, stage, steps[:index]) for index, stage in enumerate(steps)]
        return Plan(
            str(state),
            state.app_version,
            [
                Step(stage.name, why[stage.name], read, stage.task or stage.name)
                for stage, read in zip(steps, inputs, strict=True)
            ],
            len(self._stages),
            None if start is None else start.marker,
            str(state) if isinstance(state, StageState) else None if marker is None else str(marker),
            begin.id,
            dict(wish.given),
            {key: (recorded.get(key), value) for key, value in wish.settings.items()},
            found.left_out(wish, self._effects, recorded),
        )

    def _settings(self, state: Snapshot) -> dict[str, Any]:
        """Return the settings with which a state was made, if the wish needs them."""
        digest = state.trailers.get(Trailer.CONFIG) if self._wish.settings else None
        if digest not in self._recorded:
            self._recorded[digest] = {} if digest is None else settings_of(self._repository, state)
        return self._recorded[digest]


def _order(stages: Stages, markers: Sequence[StageState]) -> list[Stage]:
    """Return the stages in the order in which they ended, or otherwise in which they are declared."""
    if not markers:
        return list(stages)
    ended = {marker.slug: index for index, marker in enumerate(markers)}
    if not all(stage.slug in ended for stage in stages):
        return list(stages)
    return sorted(stages, key=lambda stage: ended[stage.slug])


def _before(order: list[Stage], steps: list[Stage]) -> Stage | None:
    """Return the stage after which to start."""
    first = order.index(steps[0]) if steps else len(order)
    return order[first - 1] if first else None


def _inputs(view: View, stage: Stage, earlier: Iterable[Stage]) -> dict[str, Any]:
    """Return what a stage reads that no earlier step remakes."""
    remade = Patterns(tuple(text for other in earlier for text in other.makes.texts))
    return {
        path: jsonable(value) for path, value in view.all.items() if stage.reads.match(path) and not remade.match(path)
    }
