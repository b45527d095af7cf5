"""Finds what is out of date in a state: its inputs have changed since it was made, or are out of date themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import PurePosixPath

from blastgit.repository.base import Repository
from blastgit.repository.commits import Snapshot
from blastgit.workflow.made import Makings, Unit, row_of
from blastgit.workflow.stages import Stage, Stages
from blastgit.workflow.steps import Step, steps_back
from blastgit.workflow.validity import Outdated
from blastgit.workflow.view import View


class Outdatedness:
    """What is out of date in a state.

    Attributes:
        units: The units that are out of date, each with the reason.
    """

    def __init__(self, makings: Makings, units: Mapping[Unit, Outdated]) -> None:
        """Hold the result."""
        self._makings = makings
        self.units = units

    def stages(self) -> dict[str, Outdated]:
        """Return the stages with outdated output, each with the first reason."""
        found: dict[str, Outdated] = {}
        for stage in self._makings.stages:
            why = next((why for unit, why in self.units.items() if unit.stage == stage.name), None)
            if why is not None:
                found[stage.name] = why
        return found

    def of(self, path: str) -> Outdated | None:
        """Return why a value or file is out of date, considering the last stage that makes it first."""
        if not self.units:
            return None
        return next((self.units[unit] for unit in reversed(self._makings.units(path)) if unit in self.units), None)


class _Search:
    """Which units of a state are out of date, by when each was made."""

    def __init__(self, makings: Makings) -> None:
        """Examine the newest state of a history."""
        self._makings = makings
        self._known: dict[Unit, Outdated | None] = {}
        self._fits_of: dict[tuple[str, View], list[str]] = {}

    def find(self) -> dict[Unit, Outdated]:
        """Return the units that are out of date, each with the reason."""
        if self._is_fresh():
            return {}
        units = dict.fromkeys(unit for path in self._now.all for unit in self._makings.units(path))
        return {unit: why for unit in units if (why := self._why(unit)) is not None}

    def _is_fresh(self) -> bool:
        """Whether nothing can be out of date because all stages ran for the state, in order."""
        makings = self._makings
        step = makings.step(0)
        assert step is not None
        if any(each.ran is None for each in step.again):
            return True
        told = makings.told(0)
        others = [stage for stage in makings.stages if stage.name not in told]
        if any(stage.name in step.view.ran for stage in others):
            return False
        if others and any(stage.makes.match(path) for stage in others for path in self._now.all):
            return False
        return not any(makings.late(stage, 0) for stage in makings.stages)

    @property
    def _now(self) -> View:
        return self._makings.view(0)

    def _why(self, unit: Unit) -> Outdated | None:
        if unit not in self._known:
            self._known[unit] = None  # a declared stage may read its own output
            self._known[unit] = self._changed(unit) or self._through(unit)
        return self._known[unit]

    def _changed(self, unit: Unit) -> Outdated | None:
        """Return an input that changed since a unit was made, or None."""
        makings, stage = self._makings, self._makings.stages.by_name[unit.stage]
        making = makings.made(unit)
        late = frozenset[str]() if making.again else makings.late(stage, making.step)
        since = makings.view(making.step)
        for path in makings.differing(making.step, 0) if making.step else ():
            if self._counts(unit, path, since) and self._concerns(stage, path, making.step):
                return Outdated(unit.stage, path, since.label)
        seen = makings.seen(stage, making.step) if late else None
        for path in () if seen is None else seen.differing(self._now):
            is_late = any(maker.name in late for maker in makings.makers(path))
            if is_late and self._counts(unit, path, seen or since):
                return Outdated(unit.stage, path, (seen or since).label)
        return None

    def _through(self, unit: Unit) -> Outdated | None:
        """Return why an input of a unit is itself out of date, or None."""
        stale = {other: why for other in self._inputs[unit.stage] if (why := self._why(other)) is not None}
        for path in self._read[unit.stage] if stale else ():
            others = [other for other in self._makings.units(path) if other in stale]
            if others and self._counts(unit, path, self._now):
                for other in others:
                    why = stale[other]
                    if unit not in self._makings.units(why.path):  # its own output is newer
                        return Outdated(unit.stage, why.path, why.since, other.stage)
        return None

    @cached_property
    def _inputs(self) -> dict[str, frozenset[Unit]]:
        """The units of earlier stages that each stage reads."""
        stages, units = self._makings.stages, self._makings.units
        return {
            name: frozenset(unit for path in paths for unit in units(path) if unit.stage in stages.before(name))
            for name, paths in self._read.items()
        }

    @cached_property
    def _read(self) -> dict[str, list[str]]:
        """The values and files that each stage reads in this state."""
        return {
            stage.name: [path for path in self._now.all if stage.reads.match(path)] for stage in self._makings.stages
        }

    def _concerns(self, stage: Stage, path: str, index: int) -> bool:
        """Whether a change of a path matters to a stage: not if only a later stage remade it."""
        again = self._makings.ran_since(path, index)
        return not again or bool(again & self._makings.stages.before(stage.name))

    def _counts(self, unit: Unit, path: str, then: View) -> bool:
        """Whether a unit is made from a path: its stage reads it, and it belongs to the same row or image."""
        stage = self._makings.stages.by_name[unit.stage]
        if not stage.reads.match(path):
            return False
        fits = [each for view in (self._now, then) for each in self._fits(stage, view)]
        if fits:
            return _is_used(path, fits, (self._now, then))
        views = (self._now, then)
        own, other = (next(filter(None, (_filter_of(p, view) for view in views)), "") for p in (unit.part, path))
        if path.startswith("apertures/") and unit.part.startswith("photometry/"):
            return row_of(path) == f"apertures/{unit.part.split('/')[1]}"
        return not own or not other or own == other

    def _fits(self, stage: Stage, view: View) -> list[str]:
        """Return the SED results that a stage makes in a state."""
        key = (stage.name, view)
        if key not in self._fits_of:
            self._fits_of[key] = [row.path for row in view.form.tables["sed"] if stage.makes.match(row.path)]
        return self._fits_of[key]


def _is_used(path: str, fits: Iterable[str], views: tuple[View, ...]) -> bool:
    """Whether a fit was made from a path; for photometry and filters, whether it actually used them."""
    table = path.partition("/")[0]
    if table not in ("photometry", "filters"):
        return True
    used = {row for view in views for fit in fits for row in view.uses.sources(fit)}
    row = row_of(path)
    return row in used if table == "photometry" else any(each.endswith(row.removeprefix("filters")) for each in used)


def _filter_of(path: str, view: View) -> str:
    """Return the filter of a value or file, or ""."""
    table, _, rest = path.partition("/")
    if not rest:
        return path if path in view.filters.values() else ""
    row = row_of(path)
    if table in ("cutouts", "apertures"):
        return view.filters.get(row, "")
    if table in ("photometry", "filters"):
        return row.rpartition("/")[2]
    return PurePosixPath(path).stem if table == "cutout_cdn" else ""


def outdated_in(repository: Repository, state: Snapshot) -> Outdatedness:
    """Return what is out of date in a state, using its history."""
    return find_outdated(repository, steps_back(repository, state))


def find_outdated(repository: Repository, steps: Iterable[Step]) -> Outdatedness:
    """Return what is out of date in a state.

    Args:
        repository: The data repo, for its stages and rules.
        steps: The state and its predecessors, newest first.
    """
    makings = Makings(steps, Stages.of(repository.settings), repository.rules)
    return Outdatedness(makings, _Search(makings).find())
