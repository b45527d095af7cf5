"""The workflow behind revisions: verbs of `DataRepo`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from blastgit.errors import UsageError
from blastgit.naming.names import check_transient, parse_spec

if TYPE_CHECKING:
    from blastgit.api.session import Session
    from blastgit.recording.stages import Workflow
    from blastgit.workflow.judged import ValidityReport
    from blastgit.workflow.plan import Plan
    from blastgit.workflow.status import RunStatus


def workflow(session: Session, /, name: str, owner: str | None = None) -> Workflow:
    """Return a transient's run, to mark the stages of its workflow; `record` or `Workflow.end` ends it.

    Args:
        name: The transient.
        owner: Whose run it is: the same for all workers of one run, and for no other; by default this process.
    """
    from blastgit.recording.stages import Workflow
    from blastgit.workflow.lease import this_process

    return Workflow(session.repository, check_transient(name), owner or this_process(), session.progress)


def status(session: Session, /, pattern: str = "*") -> Sequence[RunStatus]:
    """Return how the runs in progress stand: which stages ended, which are at work, which never ended.

    Args:
        pattern: A transient, or a shell pattern.

    Raises:
        NotFound: A name without a pattern's characters is no transient's; the error lists the nearest names.
    """
    from blastgit.workflow.status import all_statuses

    found = all_statuses(session.repository, pattern)
    if not found and not set(pattern) & set("*?[") and session.history.tip(pattern) is None:
        raise session.history.unknown(pattern)
    return found


def plan(
    session: Session,
    /,
    spec: str,
    changed: Sequence[str] = (),
    *,
    given: Mapping[str, str] | None = None,
    everything: bool = False,
) -> Plan:
    """Return which stages of the workflow must run again, and from which marker.

    Args:
        spec: The revision to start from.
        changed: Stages, files and fields that changed, beside what the revision itself calls for.
        given: Inputs that are replaced: the path of a file or value, and by what.
        everything: Plan all stages, as for an exact rerun.

    Raises:
        NotFound: There is no such revision, stage, file or field.
    """
    from blastgit.workflow.plan import Wish, plan
    from blastgit.workflow.resolve import resolve_revision

    parsed = parse_spec(spec)
    if parsed.path is not None or parsed.stage is not None:
        raise UsageError(f"plan takes a revision, and {spec!r} names something inside one: use `changed` for that")
    return plan(
        session.repository, resolve_revision(session.repository, parsed), Wish(changed, given or {}, everything)
    )


def validity(session: Session, /, spec: str) -> ValidityReport:
    """Return how each stage of the workflow ended, and which values and files of a state are invalid therefore.

    Raises:
        NotFound: There is no such revision or marker.
    """
    from blastgit.workflow.judged import ValidityReport

    return ValidityReport(session.repository, session.resolve(parse_spec(spec)), fully=True)
