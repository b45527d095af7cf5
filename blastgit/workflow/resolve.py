"""Resolves a spec to the state that it names: a revision, a draft, or the marker of a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blastgit.errors import NotFound
from blastgit.naming.names import DRAFT
from blastgit.naming.nearest import did_you_mean
from blastgit.repository.commits import Draft, Revision, Snapshot, StageState
from blastgit.repository.drafts import Drafts
from blastgit.repository.history import History

if TYPE_CHECKING:
    from blastgit.naming.names import Spec
    from blastgit.repository.base import Repository


def resolve(repository: Repository, spec: Spec) -> Snapshot:
    """Return the state that a spec names: a revision, a draft, or the marker of a stage.

    Raises:
        NotFound: It does not exist; the error lists the nearest names.
        InvalidName: The convenient name does not exist.
    """
    if spec.alias == DRAFT and spec.stage is None and spec.draft is None:
        return _open_draft(repository, spec)
    if spec.draft is not None:
        return resolve_draft(repository, spec)
    if spec.stage is None:
        return resolve_revision(repository, spec)
    run = _run_towards(repository, spec)
    if run is None:
        revision = resolve_revision(repository, spec)
        return _pick(History(repository).stages(revision), spec.stage, f"the run that became {revision}")
    return _pick(run, spec.stage, f"the run in progress of {spec.name}")


def resolve_revision(repository: Repository, spec: Spec) -> Revision:
    """Return the revision that a spec names, possibly by a convenient name or a version of Blast.

    Raises:
        NotFound: It does not exist; the error lists the nearest names.
        InvalidName: The convenient name does not exist.
    """
    if spec.alias is None:
        return History(repository).revision(spec)
    if spec.alias == DRAFT:
        raise NotFound(f"{spec.name}@{DRAFT} is not a revision: drafts are published when their workflow is complete")
    from blastgit.workflow.names import named  # slow to import, and most names do not need it

    found = named(repository, spec.name, spec.alias)
    found.asked = f"{spec.name}@{spec.alias}"
    return found


def _open_draft(repository: Repository, spec: Spec) -> Draft:
    drafts = Drafts(repository, spec.name)
    found = drafts.open()
    if found is None:
        if History(repository).latest(spec.name) is None and drafts.tip is None:
            raise History(repository).unknown(spec.name)
        raise NotFound(
            f"{spec.name} has no draft now: its latest state is published"
            + (f"; `blastgit log {spec.name} --drafts` lists the former ones" if drafts.tip is not None else "")
        )
    found.asked = f"{spec.name}@{DRAFT}"
    return found


def resolve_draft(repository: Repository, spec: Spec) -> Draft:
    """Return the draft that a person named by its number, `2026dgt@1:draft-1`.

    Raises:
        NotFound: It does not exist.
    """
    drafts = Drafts(repository, spec.name)
    found = drafts.one(spec.number or 0, spec.draft or 0)
    if found is not None:
        return found
    every = drafts.all()
    there = f"it has {', '.join(map(str, every[:3]))}{', …' if len(every) > 3 else ''}" if every else "it has none"
    raise NotFound(f"{spec.name} has no draft {spec}: {there}")


def _run_towards(repository: Repository, spec: Spec) -> list[StageState] | None:
    """Return the markers of the run in progress, if a spec names the revision that it would become."""
    if spec.number is None or History(repository).tagged(spec.name, spec.number) is not None:
        return None
    from blastgit.workflow.markers import Run

    run = Run.of(repository, spec.name)
    if run is None or run.towards != spec.number:
        return None
    return [StageState(repository.git, spec.name, marker.commit, spec.number) for marker in run.endings]


def _pick(states: list[StageState], wanted: str, run: str) -> StageState:
    """Return the last marker of a stage."""
    found = [state for state in states if state.slug == wanted]
    if found:
        return found[-1]
    markers = [f"post-{state.slug}" for state in states]
    hint = did_you_mean(f"post-{wanted}", markers, f"it has {', '.join(markers) or 'no markers'}", count=2)
    raise NotFound(f"{run} has no marker post-{wanted}{hint}")
