"""Failure is data: which values and files of a revision are invalid because a stage failed or did not run.

Blast keeps results of earlier runs beside those of the last run, and continues after some failures. A value is
therefore as good as the last stage that makes it (`stages.yaml`): if that stage failed, or could not run because
another failed, the value is incomplete or left over from an earlier run, and not a result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from blastgit.workflow.ended import COMPLETE
from blastgit.workflow.patterns import Patterns
from blastgit.workflow.stages import Stage, Stages

if TYPE_CHECKING:
    from blastgit.revision.document import Json
    from blastgit.revision.rules import Rules


class State(Enum):
    """How a stage ended in a run."""

    OK = "ok"
    ANSWERED = "answered"
    """It found something out, and that is not a failure: there is no host."""
    FAILED = "failed"
    NOT_RUN = "not run"
    """It did not run, or did not end, although no earlier stage failed: the run broke off."""
    BLOCKED = "blocked"
    """An earlier stage failed or did not run."""
    IDLE = "does not apply"
    """An earlier stage found that there is nothing to do."""
    OUTDATED = "out of date"
    """It succeeded, but its inputs have changed since."""
    AHEAD = "not yet"
    """The state is that of a marker, and the run had not reached this stage."""


SKEW = timedelta(minutes=1)
"""How much later a stage may seem to have run than its successor, because workers' clocks disagree."""

_TOLD = (
    ("failed", State.FAILED), ("not run", State.NOT_RUN), ("out of date", State.OUTDATED), ("answered", State.ANSWERED),
    ("not yet", State.AHEAD),
)  # fmt: skip
"""The states that a status reports, the worst first."""

_BROKEN = {State.FAILED, State.NOT_RUN, State.BLOCKED}


@dataclass(frozen=True)
class Standing:
    """How a stage ended in a run.

    Attributes:
        stage: The stage.
        state: How it ended.
        outcome: Blast's word for it, "processed"; None if there is none (an older Blast did not have the stage).
        cause: The earlier stage that caused it, if it is blocked or does not apply.
        reason: The reason in its marker, if it failed.
    """

    stage: Stage
    state: State
    outcome: str | None = None
    cause: Standing | None = None
    reason: str | None = None

    @property
    def is_sound(self) -> bool:
        """Whether its output exists and is valid, though it may be out of date."""
        return self.state in (State.OK, State.OUTDATED) or (
            self.state is State.ANSWERED and self.stage.answers[self.outcome or ""]
        )

    @property
    def is_good(self) -> bool:
        """Whether its output is valid and up to date."""
        return self.is_sound and self.state is not State.OUTDATED

    @property
    def is_idle(self) -> bool:
        """Whether it correctly made nothing."""
        return self.state in (State.IDLE, State.AHEAD) or (self.state is State.ANSWERED and not self.is_sound)

    def to_json(self) -> dict[str, Any]:
        """Return how the stage ended, under stable keys."""
        return {
            "stage": self.stage.name, "state": self.state.value, "outcome": self.outcome, "reason": self.reason,
            "because": None if self.cause is None else self.cause.stage.name,
        }  # fmt: skip

    def __str__(self) -> str:
        name = self.stage.name
        if self.state in (State.BLOCKED, State.IDLE):
            verb = "could not run" if self.state is State.BLOCKED else "does not apply"
            return f"{name} {verb}, because {self.cause}"
        if self.state is State.AHEAD:
            return f"{name} had not run yet"
        if self.state is State.OUTDATED:
            return f"{name} is out of date: {self.reason}"
        if self.state is State.NOT_RUN:
            return f"{name} did not end" if self.outcome == "processing" else f"{name} did not run"
        why = "" if self.reason in (None, self.outcome) else f" ({self.reason})"
        return f"{name} ended with {self.outcome!r}{why}"


@dataclass(frozen=True)
class Problem:
    """Why a value or file is invalid.

    Attributes:
        state: "failed", "stale" (left over from an earlier run) or "unfinished" (a later stage did not process it).
        standing: The stage that caused it, or None.
        note: The reason if no stage caused it.
    """

    state: str
    standing: Standing | None
    note: str = ""

    @property
    def because(self) -> str:
        """The root cause, in words: that stage, or an earlier one."""
        return self.note if self.standing is None else str(self.standing.cause or self.standing)

    def __str__(self) -> str:
        words = {"failed": "", "stale": "left over from an earlier run: ", "unfinished": "unfinished: "}
        return f"{words[self.state]}{self.standing or self.note}"

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        stage = None if self.standing is None else self.standing.stage.name
        return {"state": self.state, "stage": stage, "because": self.because}


@dataclass(frozen=True, slots=True)
class Outdated:
    """Why something is out of date.

    Attributes:
        stage: The stage that made it and has not run again.
        path: The value or file that changed.
        since: The state whose run made it, `2026dgt@0`.
        through: The earlier stage that is out of date, if that is the reason; else "".
    """

    stage: str
    path: str
    since: str
    through: str = ""

    @property
    def because(self) -> str:
        """What changed, in words."""
        return f"{self.path} changed since {self.since}"

    def __str__(self) -> str:
        through = f" used what {self.through} made, which is out of date:" if self.through else " is out of date:"
        return f"{self.stage}{through} {self.because}"

    def to_json(self) -> dict[str, Any]:
        """Return it under its stable keys."""
        return {
            "state": State.OUTDATED.value, "stage": self.stage, "because": self.because, "changed": self.path,
            "since": self.since, "through": self.through or None,
        }  # fmt: skip


class Currency(Protocol):
    """What is out of date; implemented in `outdated.py`."""

    def stages(self) -> Mapping[str, Outdated]:
        """Return the stages with outdated output, each with the reason."""
        ...

    def of(self, path: str) -> Outdated | None:
        """Return why a value or file is out of date, or None."""
        ...


class Validity:
    """Which parts of a state of a transient are valid."""

    def __init__(self, standings: Mapping[str, Standing], stages: Stages, currency: Currency | None = None) -> None:
        """Decide by how each stage ended, and by what is out of date."""
        self._stages = stages
        self._currency = currency
        self.standings = standings

    def with_currency(self, currency: Currency) -> Validity:
        """Return this with added information on valid data that are out of date."""
        late = {name: why for name, why in currency.stages().items() if self.standings[name].state is State.OK}
        if not late:
            return self
        standings = {
            name: replace(standing, state=State.OUTDATED, reason=late[name].because) if name in late else standing
            for name, standing in self.standings.items()
        }
        return Validity(standings, self._stages, currency)

    @cached_property
    def failures(self) -> list[Standing]:
        """The stages that failed, broke off, or found nothing to do: the causes, not their consequences."""
        began = (State.FAILED, State.NOT_RUN, State.ANSWERED)
        return [standing for standing in self.standings.values() if standing.state in began]

    @property
    def status(self) -> str:
        """How the workflow ended, in a line: "complete", "failed: Host match", "not run: …", "answered: …".

        It names causes, not consequences: stages that failed, else those that did not run, else findings that left
        the rest nothing to do.
        """
        for word, state in _TOLD:
            names = sorted(each.stage.name for each in self.standings.values() if each.state is state)
            if names:
                return f"{word}: {', '.join(names)}"
        return COMPLETE

    @property
    def is_complete(self) -> bool:
        """Whether every stage succeeded."""
        return all(standing.state is State.OK for standing in self.standings.values())

    def completes(self, names: Iterable[str]) -> bool:
        """Whether the output of each of these stages is valid and up to date.

        Raises:
            NotFound: One is not a stage.
        """
        standings = [self.standings[self._stages.find(name).name] for name in names]
        return all(standing.is_good for standing in standings)

    def outdated(self, path: str) -> Outdated | None:
        """Return why a value or file is out of date; None if it is not, or is invalid."""
        if self._currency is None or self.problem(path) is not None or self.unmade(path) is not None:
            return None
        return self._currency.of(path)

    def problem(self, path: str) -> Problem | None:
        """Return why a value or file is invalid; None if it is valid, or no stage makes it."""
        return None if self.is_complete else self._judge(path)

    def _judge(self, path: str) -> Problem | None:
        makers = [self.standings[stage.name] for stage in self._stages.makers(path)]
        active = [maker for maker in makers if not maker.is_idle]
        if not makers or (active and active[-1].is_sound):
            return None
        if not active:
            return None if any(maker.state is State.AHEAD for maker in makers) else Problem("stale", makers[-1])
        sound = max((index for index, maker in enumerate(active) if maker.is_sound), default=-1)
        first = active[sound + 1]  # the first that went wrong
        if sound >= 0:
            return Problem("unfinished", first)
        return Problem("failed" if first.state is State.FAILED else "stale", first)

    def unmade(self, path: str) -> Standing | None:
        """Return the stage that, at a marker, has not made a value or file yet, so that the present one is older."""
        if self.is_complete:
            return None
        makers = [self.standings[stage.name] for stage in self._stages.makers(path)]
        is_unmade = bool(makers) and all(maker.is_idle for maker in makers)
        return next((maker for maker in makers if maker.state is State.AHEAD), None) if is_unmade else None

    def remark(self, path: str) -> str | None:
        """Return a note on a valid value or file: that a later stage which edits it made nothing."""
        makers = [] if self.is_complete else [self.standings[stage.name] for stage in self._stages.makers(path)]
        if not makers or not makers[-1].is_idle or self.problem(path):
            return None
        maker = next((maker for maker in reversed(makers) if not maker.is_idle), None)
        return None if maker is None else f"as {maker.stage.name} left it: {makers[-1]}"

    def problems(self, paths: Iterable[str]) -> dict[str, Problem]:
        """Return which of some values and files are invalid, each with the reason."""
        if self.is_complete:
            return {}
        found = ((path, self._judge(path)) for path in paths)
        return {path: problem for path, problem in found if problem is not None}

    def to_json(self) -> list[dict[str, Any]]:
        """Return how each stage ended, under stable keys."""
        return [standing.to_json() for standing in self.standings.values()]


@dataclass(frozen=True)
class Ending:
    """How a stage ended according to a document or a marker.

    Attributes:
        outcome: Blast's word for the outcome; None if it is unknown.
        is_error: Whether the outcome is an error.
        reason: The reason of an error.
        when: When it ended, if known; for a marker, when the stage began.
        is_ahead: Whether the run had not reached it yet.
    """

    outcome: str | None = None
    is_error: bool = False
    reason: str | None = None
    when: datetime | None = None
    is_ahead: bool = False


NOT_YET = Ending(is_ahead=True)


def ending_of(outcome: str, reason: str | None, began: datetime | None) -> Ending:
    """Return how a stage ended according to its marker."""
    outcome = "processing" if outcome in ("begun", "unfinished") else outcome
    return Ending(outcome, outcome == "failed", reason, began)


def endings(document: Mapping[str, Json], rules: Rules) -> dict[str, Ending]:
    """Return how each of Blast's tasks ended according to a document, with present names of outcomes."""
    found = {}
    for row in document.get("workflow_tasks", ()):
        message = str(row["status"].get("message"))
        outcome, is_error = rules.renamed_outcomes.get(message, message), row["status"].get("type") == "error"
        found[row["task_name"]] = Ending(outcome, is_error, when=moment(row.get("last_modified")))
    return found


def moment(text: Json) -> datetime | None:
    """Parse an instant, in UTC unless it has a zone; None if the text is not one."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if found is None else found.replace(tzinfo=found.tzinfo or UTC)


def judge(ends: Mapping[str, Ending], stages: Stages, rules: Rules) -> Validity:
    """Return which parts of a state are valid, by how each stage ended.

    Args:
        ends: How each stage ended, by name; a stage without an entry counts as sound.
        stages: What each stage makes.
        rules: Which outcomes mean that a task has not ended, and which tasks do not count.
    """
    standings: dict[str, Standing] = {}
    for stage in stages:
        before = [standings[name] for name in stage.after]
        standings[stage.name] = _stand(stage, ends.get(stage.name, Ending()), before, rules)
    # An undeclared task of another Blast: its output is unknown, but its outcome is known.
    for name in sorted(ends.keys() - standings.keys() - rules.ignored_stages):
        standings[name] = _stand(Stage(name, (), Patterns(()), Patterns(()), {}), ends[name], [], rules)
    return Validity(standings, stages)


def _stand(stage: Stage, end: Ending, before: list[Standing], rules: Rules) -> Standing:
    broken = next((standing for standing in before if standing.state in _BROKEN), None)
    if broken is not None:
        return Standing(stage, State.BLOCKED, end.outcome, broken.cause or broken)
    idle = next((standing for standing in before if standing.state in (State.ANSWERED, State.IDLE)), None)
    if idle is not None:
        return Standing(stage, State.IDLE, end.outcome, idle.cause or idle)
    if end.is_ahead or any(standing.state is State.AHEAD for standing in before):
        return Standing(stage, State.AHEAD, end.outcome)
    if end.outcome in stage.answers:
        state = State.ANSWERED
    elif end.outcome in rules.pending:
        state = State.NOT_RUN
    else:
        state = State.FAILED if end.is_error else State.OK
    return Standing(stage, state, end.outcome, reason=end.reason)


def sounds_complete(document: Mapping[str, Json], ignored: Iterable[str] = ()) -> bool:
    """Whether every task in a document succeeded, so that everything is valid for any declaration of stages."""
    passed = set(ignored)
    return all(
        row["status"].get("type") == "success"
        for row in document.get("workflow_tasks", ())
        if row["task_name"] not in passed
    )
