"""The meaning of a convenient name or a variant of a component: conditions on revisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from blastgit.errors import RepoError
from blastgit.naming.keys import check_keys
from blastgit.naming.names import slug
from blastgit.naming.trailers import Trailer
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision
from blastgit.repository.history import History
from blastgit.workflow.judged import ValidityReport
from blastgit.workflow.markers import DONE
from blastgit.workflow.stages import Stages

_WORDS = ("complete", "valid", "app_version", "pinned", "run", "made_by")


@dataclass(frozen=True)
class Meaning:
    """The meaning of a convenient name: the latest revision that meets all conditions.

    Attributes:
        stages: The stages that must have succeeded; None for all, empty for no condition.
        valid: Whether nothing in it may be invalid.
        app_version: A pattern for the version of Blast.
        pinned: The revision's number for each transient.
        run: A pattern for the RUN collection that made or reproduced it.
        made_by: A stage that must have run for it, by a marker of its run.
    """

    stages: tuple[str, ...] | None = ()
    valid: bool = False
    app_version: str | None = None
    pinned: Mapping[str, int] = field(default_factory=dict)
    run: str | None = None
    made_by: str | None = None


def read_meaning(spec: Any, where: str) -> Meaning:
    """Parse the meaning of a name in `blastgit.yaml`.

    Args:
        spec: The value.
        where: Its location for error messages.

    Raises:
        RepoError: It is not valid; the error says where.
    """
    if not isinstance(spec, dict) or not spec:
        raise RepoError(f"{where} is {spec!r:.60}, but should give conditions: {', '.join(_WORDS)}")
    check_keys(spec, where, _WORDS)
    valid, pinned = spec.get("valid", False), spec.get("pinned", {})
    if not isinstance(valid, bool):
        raise RepoError(f"{where}.valid is {valid!r:.60}, neither true nor false")
    if not isinstance(pinned, dict) or not all(isinstance(t, str) and type(n) is int for t, n in pinned.items()):
        raise RepoError(f"{where}.pinned is {pinned!r:.60}, but should map transients to revision numbers")
    version = _text(spec, "app_version", where, "a pattern such as v1.13.*")
    run, stage = _text(spec, "run", where, "a pattern of RUN collections"), _text(spec, "made_by", where, "a stage")
    return Meaning(_complete(spec.get("complete", []), where), valid, version, pinned, run, stage)


def _text(spec: Mapping[str, Any], word: str, where: str, form: str) -> str | None:
    value = spec.get(word)
    if value is not None and (not isinstance(value, str) or not value):
        raise RepoError(f"{where}.{word} is {value!r:.60}, but should be {form}")
    return value


def _complete(value: Any, where: str) -> tuple[str, ...] | None:
    if value == "all":
        return None
    if not isinstance(value, list) or not all(isinstance(stage, str) for stage in value):
        raise RepoError(f"{where}.complete is {value!r:.60}, but should be `all` or a list of stages")
    return tuple(value)


def why_not(repository: Repository, revision: Revision, meaning: Meaning) -> str | None:
    """Return why a name does not stand for a revision; None if it does.

    Raises:
        NotFound: The name refers to a stage that does not exist.
        DamagedData: The revision cannot be read.
    """
    return _by_origin(repository, revision, meaning) or _by_validity(repository, revision, meaning)


def _by_origin(repository: Repository, revision: Revision, meaning: Meaning) -> str | None:
    """Check the conditions on the origin of a revision."""
    pinned = meaning.pinned.get(revision.transient)
    if meaning.pinned and pinned != revision.number:
        return f"{'no revision' if pinned is None else f'revision {pinned}'} of {revision.transient} is pinned"
    if meaning.app_version is not None and not fnmatchcase(revision.app_version, meaning.app_version):
        return f"it was made by {revision.app_version}"
    if meaning.run is not None:
        runs = _runs(repository, revision)
        if not any(fnmatchcase(run, meaning.run) for run in runs):
            return f"its run is {' or '.join(runs) or 'none'}, not {meaning.run}"
    if meaning.made_by is not None:
        stage = Stages.of(repository.settings).find(meaning.made_by)
        ended = (state for state in History(repository).stages(revision) if state.outcome == DONE)
        if all(state.slug != slug(stage.name) for state in ended):
            return f"{stage.name} did not run for it"
    return None


def _runs(repository: Repository, revision: Revision) -> list[str]:
    """Return the runs that made or reproduced a revision."""
    runs = []
    for marker in History(repository).markers(revision.name):
        if revision.number in (marker.reproduces, marker.number):
            runs.append(marker.trailers.get(Trailer.RUN))
        if marker.number is not None and marker.number <= revision.number:
            break
    return [run for run in dict.fromkeys(reversed(runs)) if run is not None]


def _by_validity(repository: Repository, revision: Revision, meaning: Meaning) -> str | None:
    if not meaning.valid and meaning.stages == ():
        return None
    judged = ValidityReport(repository, revision)
    validity = judged.validity
    if meaning.valid and judged.invalid:
        return str(next(iter(judged.invalid.values())))
    if meaning.valid and judged.outdated:
        return str(next(iter(judged.outdated.values())))
    if validity.is_complete or (meaning.stages is not None and validity.completes(meaning.stages)):
        return None
    short = (s for s in validity.standings.values() if meaning.stages is None or s.stage.name in meaning.stages)
    return str(next(standing for standing in short if not standing.is_good))
