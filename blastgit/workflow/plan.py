"""Where to restart: which stages must run again, and from which marker, by what each declares to read and make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from blastgit.errors import NotFound
from blastgit.naming.nearest import did_you_mean, with_beginnings
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision, StageState
from blastgit.repository.history import History
from blastgit.revision.compare import jsonable
from blastgit.workflow.judged import validity_of
from blastgit.workflow.patterns import Patterns
from blastgit.workflow.stages import Stage, Stages
from blastgit.workflow.validity import SKEW, State, Validity
from blastgit.workflow.view import View


@dataclass(frozen=True)
class Wish:
    """What a plan is asked for, beside what a revision itself calls for.

    Attributes:
        changed: Stages, files and fields that changed or shall run again.
        given: Inputs that are replaced: the path of a file or value, and by what.
        everything: Whether to run all stages again.
    """

    changed: Sequence[str] = ()
    given: Mapping[str, str] = field(default_factory=dict)
    everything: bool = False


@dataclass(frozen=True)
class Step:
    """A stage that must run again.

    Attributes:
        stage: The stage.
        why: The reasons, in words.
        inputs: What it reads that no earlier step makes anew: the value, or the SHA-256 of a file, by path.
    """

    stage: str
    why: list[str]
    inputs: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {"stage": self.stage, "why": self.why, "inputs": self.inputs}


@dataclass(frozen=True)
class Plan:
    """What must run again.

    Attributes:
        revision: The revision that it starts from.
        app_version: The version of Blast that made that.
        steps: The stages, in the order in which they must run.
        total: How many stages there are.
        start: The last marker before the first of them, `post-host-match`; None for the beginning.
        state: That marker where the revision's run has it, `2026dgt@1:post-host-match`, or else None.
        commit: The commit of the state to start from: that marker's, or the revision's.
        given: The inputs that are replaced.
    """

    revision: str
    app_version: str
    steps: list[Step]
    total: int
    start: str | None
    state: str | None
    commit: str
    given: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the plan under its stable keys."""
        return {
            "revision": self.revision, "app_version": self.app_version, "from": self.start, "marker": self.state,
            "commit": self.commit, "stages": [step.to_json() for step in self.steps], "total": self.total,
            "given": self.given,
        }  # fmt: skip


def plan(repository: Repository, revision: Revision, wish: Wish) -> Plan:
    """Return which stages must run again: those that failed, those whose inputs changed since, and what follows.

    Args:
        repository: The data repo.
        revision: Where to start from.
        wish: What else changed.

    Raises:
        NotFound: What is said to have changed is no stage, file or field.
    """
    stages = Stages.of(repository.settings)
    why = _Reasons(repository, revision, stages).all(wish)
    markers = History(repository).stages(revision)
    order = _order(stages, markers)
    steps = [stage for stage in order if stage.name in why]
    start = _before(order, steps)
    state = next((marker for marker in reversed(markers) if start and marker.slug == start.slug), None)
    view = View.of(state or revision, repository.rules)
    return Plan(
        str(revision),
        revision.app_version,
        [Step(stage.name, why[stage.name], _inputs(view, stage, steps[:index])) for index, stage in enumerate(steps)],
        len(stages),
        None if start is None else start.marker,
        None if state is None else str(state),
        (state or revision).id,
        dict(wish.given),
    )


def _order(stages: Stages, markers: Sequence[StageState]) -> list[Stage]:
    """Return the stages in the order in which they ended, or else in which they are declared."""
    ended = {marker.slug: index for index, marker in enumerate(markers)}
    if not all(stage.slug in ended for stage in stages):
        return list(stages)
    return sorted(stages, key=lambda stage: ended[stage.slug])


def _before(order: list[Stage], steps: list[Stage]) -> Stage | None:
    """Return the stage behind which to start."""
    first = order.index(steps[0]) if steps else len(order)
    return order[first - 1] if first else None


def _inputs(view: View, stage: Stage, earlier: Iterable[Stage]) -> dict[str, Any]:
    """Return what a stage reads that no earlier one makes anew."""
    anew = Patterns(tuple(text for other in earlier for text in other.makes.texts))
    return {
        path: jsonable(value) for path, value in view.all.items() if stage.reads.match(path) and not anew.match(path)
    }


class _Reasons:
    """Finds out why each stage must run again."""

    def __init__(self, repository: Repository, revision: Revision, stages: Stages) -> None:
        self._repository = repository
        self._revision = revision
        self._stages = stages
        self._now = View.of(revision, repository.rules)
        self._found: dict[str, list[str]] = {}
        self._broken: set[str] = set()

    def all(self, wish: Wish) -> dict[str, list[str]]:
        """Return the reasons by stage, of those that must run."""
        self._failures(validity_of(self._repository, self._revision))
        self._since()
        for text in (*wish.changed, *wish.given):
            self._changed(text)
        if wish.everything:
            for stage in self._stages:
                self._add(stage, "all stages are asked for")
        self._follow()
        return self._found

    def _add(self, stage: Stage, reason: str) -> None:
        reasons = self._found.setdefault(stage.name, [])
        if reason not in reasons:
            reasons.append(reason)

    def _failures(self, validity: Validity) -> None:
        for standing in validity.standings.values():
            if standing.state in (State.FAILED, State.NOT_RUN, State.BLOCKED):
                self._add(standing.stage, str(standing).removeprefix(f"{standing.stage.name} "))
                self._broken.add(standing.stage.name)

    def _changed(self, text: str) -> None:
        stage = self._stages.get(text)
        if stage is not None:
            self._add(stage, "is said to have changed")
            return
        path = text.rstrip("/")
        for stage in self._stages:
            if stage.reads.meet([path]):
                self._add(stage, f"reads {path}, which is said to have changed")
        if not self._is_known(path):
            hint = did_you_mean(path, [*(each.name for each in self._stages), *with_beginnings(self._now.all)])
            raise NotFound(f"{text!r} is no stage, and no file or field of {self._revision}{hint}")

    def _is_known(self, path: str) -> bool:
        meant, declared = (
            Patterns((path,)),
            (text for each in self._stages for text in each.reads.texts + each.makes.texts),
        )
        return any(map(meant.match, self._now.all)) or any(fnmatchcase(path, text) for text in declared)

    def _since(self) -> None:
        """Find the stages that did not run again although what they read has changed."""
        views: dict[int, tuple[View, list[str]]] = {}
        for stage in self._stages:
            oldest = None if stage.name in self._broken else self._ran_for(stage)
            if oldest is None:
                continue
            if oldest.number not in views:
                view = self._now if oldest is self._revision else View.of(oldest, self._repository.rules)
                views[oldest.number] = view, view.differing(self._now)
            then, differing = views[oldest.number]
            path = next(
                (path for path in differing if stage.reads.match(path) and self._concerns(stage, path, then)), ""
            )
            if path:
                self._add(stage, f"reads {path}, which changed since {oldest}, and did not run again")
            for before in self._feeders(stage):
                if _is_later(then.ran, before.name, stage.name):
                    self._add(stage, f"reads what {before.name} makes, which ran later")

    def _ran_for(self, stage: Stage) -> Revision | None:
        """Return the oldest revision since which a stage has not run; None if it is not known when it ran."""
        when = self._now.ran.get(stage.name)
        oldest = None if when is None else self._revision
        for revision in self._earlier if when else ():
            if View.of(revision, self._repository.rules).ran.get(stage.name) != when:
                break
            oldest = revision
        return oldest

    @cached_property
    def _earlier(self) -> list[Revision]:
        revisions = History(self._repository).backwards(self._revision.name)
        return [revision for revision in revisions if revision.number < self._revision.number]

    def _concerns(self, stage: Stage, path: str, then: View) -> bool:
        """Whether a stage must know that a path changed: not if only a later stage has made it anew."""
        makers = self._stages.makers(path)
        again = {maker.name for maker in makers if then.ran.get(maker.name) != self._now.ran.get(maker.name)}
        return not again or bool(again & self._stages.before(stage.name))

    def _feeders(self, stage: Stage) -> Iterator[Stage]:
        """Yield the stages that make something which a stage reads."""
        for before in self._stages:
            if before.name in self._stages.before(stage.name) and stage.reads.meet(before.makes.texts):
                yield before

    def _follow(self) -> None:
        for stage in self._stages:
            makers = [before.name for before in self._feeders(stage) if before.name in self._found]
            if makers and stage.name not in self._broken:
                self._add(stage, f"reads what {_listed(makers)}")


def _listed(names: list[str]) -> str:
    return f"{names[0]} makes" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} make"


def _is_later(runs: Mapping[str, datetime | None], first: str, second: str) -> bool:
    one, other = runs.get(first), runs.get(second)
    return one is not None and other is not None and one - other > SKEW
