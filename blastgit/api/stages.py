"""The workflow that makes revisions: verbs of `DataRepo`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from blastgit.errors import UsageError
from blastgit.naming.names import check_transient, parse_spec
from blastgit.repository.commits import Revision, UnpublishedState

if TYPE_CHECKING:
    from blastgit.api.session import Session
    from blastgit.reading.replayed import Replay
    from blastgit.recording.stages import Workflow
    from blastgit.workflow.judged import ValidityReport
    from blastgit.workflow.plan import Plan
    from blastgit.workflow.plans import Plans
    from blastgit.workflow.status import RunStatus

    Asked = tuple[str, Revision | UnpublishedState | None]


def workflow(session: Session, /, name: str, owner: str | None = None) -> Workflow:
    """Return the run of a transient, for marking stages of its workflow; `record` or `Workflow.end` ends it.

    Args:
        name: The transient.
        owner: The owner of the run: the same for all workers of one run, and unique to it; by default this process.
    """
    from blastgit.recording.stages import Workflow
    from blastgit.workflow.lease import this_process

    return Workflow(session.repository, check_transient(name), owner or this_process(), session.progress)


def status(session: Session, /, pattern: str = "*") -> Sequence[RunStatus]:
    """Return the status of the runs in progress: which stages ended, which are running, which never ended.

    Args:
        pattern: A transient, or a shell pattern.

    Raises:
        NotFound: A name that is not a pattern matches no transient; the error lists the nearest names.
    """
    from blastgit.workflow.status import all_statuses

    found = all_statuses(session.repository, pattern)
    if not found and not set(pattern) & set("*?[") and session.history.tip(pattern) is None:
        raise session.history.unknown(pattern)
    return found


def plan(  # noqa: PLR0913 (where to start, and what to change)
    session: Session,
    /,
    spec: str,
    changed: Sequence[str] = (),
    *,
    given: Mapping[str, str] | None = None,
    everything: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Plan:
    """Return which stages of the workflow must run again, and from which marker.

    Args:
        spec: The revision to start from, or the marker of a stage (`2026dgt@1:post-host-match`).
        changed: Stages, files, fields and references that changed, besides what the revision itself requires.
        given: Inputs to replace: the path of a file or value, and its replacement.
        everything: Plan all stages, as for an exact rerun.
        settings: Settings of the run's configuration to change: name and new value.

    Raises:
        NotFound: No such revision, stage, file, field or setting.
    """
    from blastgit.workflow.plan import plan
    from blastgit.workflow.wish import Wish

    return plan(session.repository, _start(session, spec), Wish(changed, given or {}, everything, settings or {}))


def plan_all(  # noqa: PLR0913 (the parameters of `plan`, for many revisions)
    session: Session,
    /,
    specs: Sequence[str] = (),
    changed: Sequence[str] = (),
    *,
    collection: str = "",
    given: Mapping[str, str] | None = None,
    everything: bool = False,
    settings: Mapping[str, str] | None = None,
    with_inputs: bool = False,
    inherited: Sequence[str] = (),
) -> Plans:
    """Return which stages must run again for many transients, and what is left out, with the reason.

    Args:
        specs: Revisions and markers, as for `plan`.
        changed: Stages, files and fields that changed.
        collection: A collection; all its revisions are planned.
        given: Inputs to replace.
        everything: Plan all stages.
        settings: Settings of the runs' configurations to change.
        with_inputs: Include the exact inputs of each stage, which reads every document.
        inherited: Quality flags that a revision has, or one of its inputs that transients share; `!bad`: that it has
            not. Others are left out.

    Raises:
        NotFound: No such revision or collection, or nothing has that stage, file, field or setting.
        UsageError: The flag does not exist.
        RepoError: Flags are asked for, and DuckDB, which the index needs, is not installed.
    """
    from blastgit.api.collections import Collections
    from blastgit.workflow.plans import plan_all
    from blastgit.workflow.wish import Wish

    wish = Wish(changed, given or {}, everything, settings or {}, with_inputs)
    states: list[Asked] = [(spec, _start(session, spec)) for spec in specs]
    partial: dict[str, str] = {}
    if collection:
        members = Collections(session.repository).members(collection)
        for each in members:
            if each.dataset.path:
                partial[str(each)] = f"{collection} has only this file of it, but plans are for revisions"
            else:
                states.append((str(each), session.history.tagged(each.dataset.line, each.dataset.number)))
    if inherited:
        states, flagged = _by_flags(session, states, inherited)
        partial |= flagged
    found = plan_all(session.repository, states, wish, session.progress)
    return replace(found, left_out={**partial, **found.left_out})


def _by_flags(
    session: Session, states: Sequence[Asked], inherited: Sequence[str]
) -> tuple[list[Asked], dict[str, str]]:
    """Return the states that have some flags, or inherit them, and why each other one is left out."""
    from blastgit.api.search import find
    from blastgit.search.find.criteria import Criteria

    official = sorted({str(state) for _, state in states if isinstance(state, Revision) and "/" not in state.name})
    wanted = Criteria(among=tuple(official), inherited=tuple(inherited), all_revisions=True)
    fitting = set(find(session, wanted).names) if official else set()
    left = {text: f"its flags are not {', '.join(inherited)}" for text in official if text not in fitting}
    return [(text, state) for text, state in states if str(state) not in left], left


def _start(session: Session, spec: str) -> Revision | UnpublishedState:
    parsed = parse_spec(spec)
    if parsed.path is not None:
        raise UsageError(f"plan takes a revision, and {spec!r} names something inside one: use `changed` for that")
    state = session.resolve(parsed)
    assert isinstance(state, Revision | UnpublishedState)
    return state


def validity(session: Session, /, spec: str) -> ValidityReport:
    """Return how each stage of the workflow ended, and which values and files of a state are therefore invalid.

    Raises:
        NotFound: The revision or marker does not exist.
    """
    from blastgit.workflow.judged import ValidityReport

    return ValidityReport(session.repository, session.resolve(parse_spec(spec)), fully=True)


def replay_check(session: Session, /, run: str, *, of: str = "", replaced: Sequence[str] = ()) -> Replay:
    """Compare the results of a replay with what was recorded, by value.

    Args:
        run: The run.
        of: The run that it repeats; "" to compare each revision with its predecessor, from which it was made.
        replaced: The files and values that were replaced in the replay.

    Raises:
        NotFound: A run is empty.
        DamagedData: The store lacks a file.
    """
    from blastgit.reading.replayed import check

    return check(session.repository, run, of, replaced)
