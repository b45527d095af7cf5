"""Why a stage must run again: it failed, its inputs changed, it was requested, or an earlier stage must run again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from blastgit.errors import NotFound
from blastgit.naming.nearest import did_you_mean, with_beginnings
from blastgit.naming.trailers import Trailer
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision, UnpublishedState
from blastgit.repository.history import History
from blastgit.workflow.ended import COMPLETE, is_known_fresh
from blastgit.workflow.judging import validity_of
from blastgit.workflow.patterns import Patterns
from blastgit.workflow.settings import differs
from blastgit.workflow.stages import Stage, Stages
from blastgit.workflow.validity import SKEW, State, Validity
from blastgit.workflow.view import View
from blastgit.workflow.wish import Effect, Wish

UNCHANGED = "nothing that it reads has changed"
"""Why most stages are left out of a plan."""


class Reasons:
    """Finds out why each stage must run again, reading the whole document only if necessary."""

    def __init__(self, repository: Repository, state: Revision | UnpublishedState, stages: Stages) -> None:
        self._repository = repository
        self._state = state
        self._stages = stages
        self._found: dict[str, list[str]] = {}
        self._broken: set[str] = set()

    def all(self, wish: Wish, effects: Mapping[str, Effect], recorded: Mapping[str, Any]) -> dict[str, list[str]]:
        """Return the stages that must run, each with the reasons."""
        if self._validity is not None:
            self._failures(self._validity)
        if isinstance(self._state, Revision):
            self._since(self._state)
        for text, effect in effects.items():
            self._changed(text, effect)
        for key, value in wish.settings.items():
            self._set(key, value, recorded)
        if wish.everything:
            for stage in self._stages:
                self._add(stage, "all stages are asked for")
        self._follow()
        return self._found

    def left_out(self, wish: Wish, effects: Mapping[str, Effect], recorded: Mapping[str, Any]) -> dict[str, str]:
        """Return the stages that need not run, and requested changes that affect no stage, each with the reason."""
        standings = {} if self._validity is None else self._validity.standings
        left: dict[str, str] = {}
        for stage in self._stages:
            if stage.name not in self._found:
                standing = standings.get(stage.name)
                is_idle = standing is not None and standing.state in (State.ANSWERED, State.IDLE)
                left[stage.name] = str(standing).removeprefix(f"{stage.name} ") if is_idle else UNCHANGED
        left |= {text: "no stage reads it" for text, effect in effects.items() if not effect.reasons}
        same = (key for key, value in wish.settings.items() if key in recorded and not differs(recorded[key], value))
        return left | {key: f"it was {recorded[key]} already" for key in same}

    @cached_property
    def _validity(self) -> Validity | None:
        """How the stages ended; None if all are known to have succeeded."""
        said = self._state.trailers
        is_revision = isinstance(self._state, Revision)
        if is_revision and said.get(Trailer.STATUS) == COMPLETE and Trailer.WORKFLOW not in said:
            return None
        return validity_of(self._repository, self._state)

    @cached_property
    def _now(self) -> View:
        return View.of(self._state, self._repository.rules)

    def _add(self, stage: Stage, reason: str) -> None:
        reasons = self._found.setdefault(stage.name, [])
        if reason not in reasons:
            reasons.append(reason)

    def _failures(self, validity: Validity) -> None:
        for standing in validity.standings.values():
            if standing.state in (State.FAILED, State.NOT_RUN, State.BLOCKED, State.AHEAD):
                self._add(standing.stage, str(standing).removeprefix(f"{standing.stage.name} "))
                self._broken.add(standing.stage.name)

    def _changed(self, text: str, effect: Effect) -> None:
        for name, reason in effect.reasons.items():
            self._add(self._stages.by_name[name], reason)
        path = text.rstrip("/")
        if not effect.is_declared and not any(map(Patterns((path,)).match, self._now.all)):
            known = (*self._stages.by_name, *self._stages.references, *with_beginnings(self._now.all))
            hint = did_you_mean(path, known)
            raise NotFound(
                f"{text!r} is not a stage, nor a file or field of {self._state}, nor a reference that stages work "
                f"with{hint}"
            )

    def _set(self, key: str, value: str, recorded: Mapping[str, Any]) -> None:
        """Find the stages that read a setting to change: all stages, if none declares it."""
        readers = [stage for stage in self._stages if stage.config.match(key)]
        if key in recorded and not differs(recorded[key], value):
            return
        if not readers and key not in recorded:
            known = [*recorded, *(text for stage in self._stages for text in stage.config.texts)]
            hint = did_you_mean(key, known, count=2)
            raise NotFound(
                f"{self._state} was not made with a setting {key!r}, and no stage declares it{hint}. To record the "
                "configuration of a run, use `blastgit run start --config FILE`"
            )
        was = f" and was {recorded[key]}" if key in recorded else ""
        says = "reads" if readers else "may read (no stage declares it)"
        for stage in readers or self._stages:
            self._add(stage, f"{says} the setting {key}, which is to be {value}{was}")

    def _since(self, revision: Revision) -> None:
        """Find the stages that did not run again although their inputs have changed."""
        views: dict[int, list[str]] = {}
        for stage in self._stages:
            oldest = None if stage.name in self._broken else self._ran_for(stage, revision)
            if oldest is None:
                continue
            then = self._view(oldest).ran
            if oldest is not revision:
                if oldest.number not in views:
                    views[oldest.number] = self._view(oldest).differing(self._now)
                path = self._first_change(stage, then, views[oldest.number])
                if path:
                    self._add(stage, f"reads {path}, which changed since {oldest}, and did not run again")
            for before in self._stages.feeders(stage.name):
                if _is_later(then, before.name, stage.name):
                    self._add(stage, f"reads what {before.name} makes, which ran later")

    def _view(self, revision: Revision) -> View:
        if revision is self._state:
            return self._now
        return next(view for each, view in self._earlier if each is revision)

    def _first_change(self, stage: Stage, then: Mapping[str, datetime | None], differing: Iterable[str]) -> str:
        read = (path for path in differing if stage.reads.match(path))
        return next((path for path in read if self._concerns(stage, path, then)), "")

    def _ran_for(self, stage: Stage, revision: Revision) -> Revision | None:
        """Return the oldest revision since which a stage has not run; None if its time is unknown."""
        when = self._now.ran.get(stage.name)
        oldest = None if when is None else revision
        for earlier, view in self._earlier if when else ():
            if view.ran.get(stage.name) != when:
                break
            oldest = earlier
        return oldest

    @cached_property
    def _earlier(self) -> list[tuple[Revision, View]]:
        """The previous revisions, newest first, back to the last run of every stage.

        None are read if the commit says that nothing was out of date: no input has changed since it was read.
        """
        found: list[tuple[Revision, View]] = []
        state = self._state
        number = state.number if isinstance(state, Revision) and not is_known_fresh(state) else 0
        for each in History(self._repository).backwards(self._state.name) if number else ():
            if each.number < number:
                view = View.of(each, self._repository.rules)
                found.append((each, view))
                if not any(view.ran.get(stage) == when for stage, when in self._now.ran.items() if when):
                    break
        return found

    def _concerns(self, stage: Stage, path: str, then: Mapping[str, datetime | None]) -> bool:
        """Whether a change of a path matters to a stage: not if only a later stage remade it."""
        makers = self._stages.makers(path)
        again = {maker.name for maker in makers if then.get(maker.name) != self._now.ran.get(maker.name)}
        return not again or bool(again & self._stages.before(stage.name))

    def _follow(self) -> None:
        for stage in self._stages if self._found else ():
            makers = [before.name for before in self._stages.feeders(stage.name) if before.name in self._found]
            if makers and stage.name not in self._broken:
                self._add(stage, f"reads what {_listed(makers)}")


def _listed(names: list[str]) -> str:
    return f"{names[0]} makes" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} make"


def _is_later(runs: Mapping[str, datetime | None], first: str, second: str) -> bool:
    one, other = runs.get(first), runs.get(second)
    return one is not None and other is not None and one - other > SKEW
