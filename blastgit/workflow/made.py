"""When the contents of a state were made: at which state their stage ran last, from the evidence in the history.

The output of a stage is divided by rows and images (`Unit`), because an edit touches one and not the others. If no
task's time has changed between two states, times are no evidence (exports of tests, edits in the database), and a unit
counts as made if its contents changed. Since geometry and verdicts often come out equal, a stage between two that ran
is assumed to have run as well, unless it measures; pictures are assumed to be redrawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from blastgit.naming.names import slug
from blastgit.revision.rules import Rules
from blastgit.workflow.patterns import Patterns
from blastgit.workflow.stages import Stage, Stages
from blastgit.workflow.steps import Step
from blastgit.workflow.validity import SKEW
from blastgit.workflow.view import View

_BY_ROW = ("photometry", "apertures")
_BY_IMAGE = ("cutouts", "cutout_cdn")
_MEASURED = Patterns(("photometry/*.flux",))
"""Values that always change if an input changes: no measurement gives the same number by chance."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest part of a stage's output that an edit can affect.

    Attributes:
        stage: The stage.
        part: The row of photometry or of an aperture, or the filter of an image; "" for all other output.
    """

    stage: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Making:
    """When something was made.

    Attributes:
        step: How many states back its stage ran last.
        again: Whether a run that reproduced that state made it again.
    """

    step: int
    again: bool = False


def row_of(path: str) -> str:
    """Return the natural path of a value's row, or the path itself if it is of a file or row."""
    table = path.partition("/")[0].partition(".")[0]
    is_file = table in ("cutout_cdn", "sed_output")
    head, dot, field = path.rpartition(".")
    return head if dot and not is_file and "/" not in field else path


def part_of(path: str, view: View) -> str:
    """Return the part (see `Unit`) that a value or file belongs to."""
    table = path.partition("/")[0]
    if table in _BY_ROW:
        return row_of(path)
    if table not in _BY_IMAGE:
        return ""
    return view.filters.get(row_of(path), "") if table == "cutouts" else PurePosixPath(path).stem


class Makings:
    """When each unit of a state and its predecessors was made."""

    def __init__(self, steps: Iterable[Step], stages: Stages, rules: Rules) -> None:
        """Examine a state and, as far as needed, its predecessors.

        Args:
            steps: The state and its predecessors, newest first, consumed lazily.
            stages: What each stage reads and makes.
            rules: Which files are derived.
        """
        self._left = iter(steps)
        self._steps: list[Step] = []
        self.stages = stages
        self._rules = rules
        self._differing: dict[tuple[int, int], list[str]] = {}
        self._makers: dict[str, list[Stage]] = {}
        self._units: dict[tuple[str, int], list[Unit]] = {}
        self._told: dict[int, frozenset[str]] = {}
        self._by_value: dict[int, frozenset[Unit]] = {}
        self._marked: dict[str, View] = {}

    def step(self, index: int) -> Step | None:
        """Return the state that many steps back, or None if the history is shorter."""
        while len(self._steps) <= index:
            step = next(self._left, None)
            if step is None:
                return None
            self._steps.append(step)
        return self._steps[index]

    def view(self, index: int) -> View:
        """Return the state that many steps back, which must exist."""
        step = self.step(index)
        assert step is not None
        return step.view

    def makers(self, path: str) -> list[Stage]:
        """Return the stages that make a value or file, in order."""
        found = self._makers.get(path)
        if found is None:
            found = self._makers[path] = self.stages.makers(path)
        return found

    def units(self, path: str, index: int = 0) -> list[Unit]:
        """Return the units of a value or file in a state, one for each stage that makes it, in order."""
        key = (path, index)
        found = self._units.get(key)
        if found is None:
            makers = self.makers(path)
            part = part_of(path, self.view(index)) if makers else ""
            found = self._units[key] = [Unit(stage.name, part) for stage in makers]
        return found

    def differing(self, index: int, other: int) -> list[str]:
        """Return the paths that differ between two states, by the rules."""
        key = (index, other)
        if key not in self._differing:
            self._differing[key] = self.view(index).differing(self.view(other))
        return self._differing[key]

    def told(self, index: int) -> frozenset[str]:
        """Return the stages that ran for a state by their markers and times; for the first state, all stages."""
        if index not in self._told:
            self._told[index] = self._find_told(index)
        return self._told[index]

    def _find_told(self, index: int) -> frozenset[str]:
        step, before = self.step(index), self.step(index + 1)
        assert step is not None
        if before is None:
            return frozenset(stage.name for stage in self.stages)
        marked = {stage.name for stage in self.stages if stage.slug in step.marks}
        since = max((each.time for each in before.again), default=None)
        return frozenset({*marked, *_moved(step.view, before.view, since)})

    def made(self, unit: Unit, index: int = 0) -> Making:
        """Return when a unit was made, as seen from a state."""
        word = slug(unit.stage)
        while True:
            step = self.step(index)
            assert step is not None
            if any(each.tells_of(word) for each in step.again):
                return Making(index, again=True)
            if self.step(index + 1) is None or self._ran(unit, index):
                return Making(index)
            index += 1

    def _ran(self, unit: Unit, index: int) -> bool:
        return unit.stage in self.told(index) or unit in self._changed(index) or self._is_presumed(unit, index)

    def _changed(self, index: int) -> frozenset[Unit]:
        """Return the units that differ from the previous state."""
        if index not in self._by_value:
            changed = self.differing(index + 1, index)
            self._by_value[index] = frozenset(
                unit for path in changed for at in (index, index + 1) for unit in self.units(path, at)
            )
        return self._by_value[index]

    def _is_presumed(self, unit: Unit, index: int) -> bool:
        """Whether a unit is assumed to have been made where times are no evidence."""
        if self.told(index):
            return False
        stage = self.stages.by_name[unit.stage]
        if all(map(self._rules.is_derived, stage.makes.texts)):
            return True
        paths = self.differing(index + 1, index)
        # The first stage that makes a path has run; for later ones this is unknown.
        changed = {makers[0].name for path in paths if (makers := self.makers(path))}
        is_between = bool(changed & self.stages.before(stage.name)) and any(
            later.name in changed for later in self.stages.after(stage.name)
        )
        return is_between and not any(map(_MEASURED.match, self._outputs(unit, index)))

    def _outputs(self, unit: Unit, index: int) -> Iterator[str]:
        return (path for path in self.view(index).all if path.startswith(unit.part) and unit in self.units(path, index))

    def late(self, stage: Stage, index: int) -> frozenset[str]:
        """Return which predecessors of a stage ended after it in the run for a state, too late for it to read."""
        step = self.step(index)
        assert step is not None
        told, before = self.told(index), self.stages.before(stage.name)
        if stage.slug in step.marks:
            order = list(step.marks)
            later = set(order[order.index(stage.slug) + 1 :])
            return frozenset(each for each in before if slug(each) in later)
        ran = step.view.ran
        when = ran.get(stage.name)
        if when is None:
            return frozenset()
        return frozenset(each for each in before & told if (other := ran.get(each)) is not None and other - when > SKEW)

    def seen(self, stage: Stage, index: int) -> View | None:
        """Return the state with what a stage read of stages that ended after it: its marker, or the previous state."""
        step, before = self.step(index), self.step(index + 1)
        assert step is not None
        if stage.slug in step.marks:
            mark = step.marks[stage.slug]
            return self._marked.setdefault(mark.id, View.of(mark, self._rules))
        return None if before is None else before.view

    def ran_since(self, path: str, index: int) -> set[str]:
        """Return the stages that make a path and ran, by markers and times, after the run for a state."""
        return {maker.name for maker in self.makers(path) if any(maker.name in self.told(i) for i in range(index))}


def _moved(view: View, before: View, since: datetime | None) -> Iterator[str]:
    """Yield the tasks that ran for a state by their times, and if there are any, also tasks without a time."""
    timed = [
        name
        for name, when in view.ran.items()
        if when is not None and when != before.ran.get(name) and (since is None or when > since)
    ]
    yield from timed
    if timed:
        yield from (name for name, when in view.ran.items() if when is None)
