"""Judging a state: which parts are valid and up to date, from its document, its run's markers and its history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from blastgit.naming.names import slug
from blastgit.naming.trailers import Trailer
from blastgit.repository.commits import Draft, Marker, Revision, Snapshot, StageState
from blastgit.workflow.ended import COMPLETE, UP_TO_DATE, is_known_fresh
from blastgit.workflow.stages import Stages
from blastgit.workflow.validity import (
    NOT_YET,
    Ending,
    State,
    Validity,
    ending_of,
    endings,
    judge,
    moment,
    sounds_complete,
)

if TYPE_CHECKING:
    from blastgit.repository.base import Repository
    from blastgit.revision.document import Json
    from blastgit.revision.rules import Rules
    from blastgit.workflow.steps import Step

_ALL_SOUND = Validity({}, Stages(()))


def validity_of(repository: Repository, state: Snapshot, *, fully: bool = False) -> Validity:
    """Return which parts of a state are valid, from its document and the markers of its run.

    Args:
        repository: The data repo.
        state: The state.
        fully: Whether to report each stage even if all succeeded.
    """
    if state.dr.export.is_reference:
        return _ALL_SOUND  # no workflow made it
    document, marks = state.dr.export.document, _marks(repository, state)
    is_fresh = is_known_fresh(state)
    if not fully and not marks and is_fresh and sounds_complete(document):
        return _ALL_SOUND  # the usual case, without reading rules or stages
    validity = _judge(repository, document, marks, on_the_way=isinstance(state, StageState))
    if is_fresh or isinstance(state, Draft):  # a draft is superseded by the run that fixes it
        return validity
    from blastgit.workflow.outdated import outdated_in

    return validity.with_currency(outdated_in(repository, state))


def status_at_end(repository: Repository, document: Mapping[str, Json], marks: Mapping[str, Ending]) -> str:
    """Return the status of the workflow whose result is being recorded, as `workflow/ended.py` will report it.

    Args:
        repository: The data repo.
        document: The export.
        marks: How each stage ended by the markers of the run, by its slug.
    """
    if not marks and sounds_complete(document, repository.rules.ignored_stages):
        return COMPLETE
    return _judge(repository, document, marks).status


def outdated_at_end(
    repository: Repository, document: Mapping[str, Json], marks: Mapping[str, Ending], steps: Iterable[Step]
) -> str:
    """Return which stages are out of date in a state being recorded, in the form of its trailer.

    Args:
        repository: The data repo.
        document: The export.
        marks: How each stage ended by the markers of the run, by its slug.
        steps: The state and its predecessors.
    """
    from blastgit.workflow.outdated import find_outdated

    found = find_outdated(repository, steps)
    validity = _judge(repository, document, marks).with_currency(found) if found.units else _ALL_SOUND
    late = [each.stage.name for each in validity.standings.values() if each.state is State.OUTDATED]
    return ", ".join(late) or UP_TO_DATE


def outdated_when_recorded(repository: Repository, revision: Revision) -> str:
    """Return which stages were out of date in a revision by the history before it, as its trailer should say it.

    Raises:
        DamagedData: A revision that it follows cannot be read.
    """
    from blastgit.workflow.steps import steps_back

    steps = steps_back(repository, revision, from_itself=True)
    return outdated_at_end(repository, revision.dr.export.document, _marks(repository, revision), steps)


def _judge(
    repository: Repository, document: Mapping[str, Json], marks: Mapping[str, Ending], *, on_the_way: bool = False
) -> Validity:
    rules = repository.rules
    stages = Stages.of(repository.settings)
    ends = endings(document, rules)
    done = {stage.name for stage in stages if (mark := marks.get(stage.slug)) and mark.outcome == "done"}
    for stage in stages:
        mark = marks.get(stage.slug)
        if mark is not None and mark.outcome != "done":
            found = replace(mark, outcome=mark.reason) if mark.reason in stage.answers else mark
            ends[stage.name] = _worse(ends.get(stage.name), found)
        elif on_the_way and mark is None and _is_ahead(ends.get(stage.name), rules, done & stages.before(stage.name)):
            ends[stage.name] = NOT_YET
    return judge(ends, stages, rules)


def _worse(said: Ending | None, mark: Ending) -> Ending:
    """Return how a stage ended, if its marker says that it failed or never ended and the document may differ."""
    if said is None:
        return mark
    if said.is_error:
        return replace(said, reason=mark.reason)  # keep Blast's own words
    has_run_since = said.when is not None and mark.when is not None and said.when >= mark.when
    return said if has_run_since else mark


def _is_ahead(end: Ending | None, rules: Rules, redone: Collection[str]) -> bool:
    """Whether, at a marker, the run had not reached a stage yet, so that its products are inherited."""
    return bool(redone) or (end is not None and end.outcome in rules.pending)


def _marks(repository: Repository, state: Snapshot) -> dict[str, Ending]:
    """Return the last ending of each stage in the run that led to a state, by slug."""
    if (
        isinstance(state, Revision)
        and not repository.is_here
        and state.trailers.get(Trailer.STATUS, "complete") == "complete"
    ):
        return {}  # reading markers would fetch each commit
    commit = state.commit if state.stage else repository.commit_before(state.name, state.commit)
    found: dict[str, Ending] = {}
    while commit is not None and (marker := Marker(commit)).stage is not None:
        began = moment(marker.trailers.get(Trailer.BEGAN))
        end = ending_of(marker.outcome, marker.trailers.get(Trailer.REASON), began)
        found.setdefault(slug(marker.stage or ""), end)
        commit = repository.commit_before(state.name, commit)
    return found
