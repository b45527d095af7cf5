"""The validity of a revision, reported in the words that `get`, `show` and `log` use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from blastgit.errors import InvalidData
from blastgit.naming.names import slug
from blastgit.naming.trailers import Trailer
from blastgit.repository.commits import Draft, Marker, Revision, Snapshot, StageState, UnpublishedState
from blastgit.repository.history import History
from blastgit.workflow.ended import COMPLETE, UP_TO_DATE, is_known_fresh
from blastgit.workflow.stages import Stages
from blastgit.workflow.validity import (
    NOT_YET,
    Ending,
    Outdated,
    Problem,
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
    from blastgit.revision.normalise import NaturalForm
    from blastgit.revision.rules import Rules
    from blastgit.workflow.steps import Step

_NAMED_AT_MOST = 4
_ALL_SOUND = Validity({}, Stages(()))
_FORMER = Problem("stale", None, "the transient had another name then")


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


@dataclass(frozen=True)
class Finding:
    """The values and files that are invalid for one reason.

    Attributes:
        root: The root cause, in words: "Host match ended with 'failed'".
        values: Natural paths of values.
        files: Paths of files.
        left: How many of them are the same as in the previous revision.
        before: That revision, or None.
    """

    root: str
    values: tuple[str, ...]
    files: tuple[str, ...]
    left: int = 0
    before: str | None = None

    @property
    def what(self) -> str:
        """What is invalid, in words: "76 values (sed/global, sfh/global) and 5 files (sed_output)"."""
        parts = [_counted(self.values, "value"), _counted(self.files, "file")]
        total = len(self.values) + len(self.files)
        left = ""
        if self.left:
            left = f", {'the same' if self.left == total else f'{self.left} the same'} as in {self.before}"
        return f"{' and '.join(filter(None, parts))}{left}"

    def __str__(self) -> str:
        return f"{self.root}: {self.what}"

    def to_json(self) -> dict[str, object]:
        """Return it under its stable keys."""
        return {"because": self.root, "values": list(self.values), "files": list(self.files), "as_before": self.left}


class Invalid(dict[str, str]):
    """The invalid values and files in a result, each with the reason.

    Attributes:
        findings: The same, grouped by reason.
    """

    def __init__(self, reasons: Mapping[str, str] = MappingProxyType({}), findings: Iterable[Finding] = ()) -> None:
        """Collect reasons."""
        super().__init__(reasons)
        self.findings = tuple(findings)

    @classmethod
    def of_all(cls, parts: Iterable[Invalid]) -> Self:
        """Gather what is known of several parts of something, no two of which name the same value or file."""
        whole = cls()
        for part in parts:
            whole.update(part)
            whole.findings += part.findings
        return whole


class OutOfDate(Invalid):
    """The values and files in a result that are out of date, each with the reason."""


class ValidityReport:
    """A revision with its invalid and outdated values and files."""

    def __init__(self, repository: Repository, revision: Snapshot, *, fully: bool = False) -> None:
        """Examine a revision, or the state at a marker; see `validity_of`."""
        self._repository = repository
        self.revision = revision
        self.validity = validity_of(repository, revision, fully=fully)

    @cached_property
    def _form(self) -> NaturalForm:
        from blastgit.revision.normalise import normalise

        return normalise(self.revision.dr.export, self._repository.rules)

    @property
    def values(self) -> Mapping[str, Json]:
        """The revision's values by natural path."""
        return self._form.values

    @cached_property
    def invalid_files(self) -> dict[str, Problem]:
        """The invalid files, each with its problem."""
        return self.validity.problems(self.revision.held)

    @cached_property
    def invalid_values(self) -> dict[str, Problem]:
        """The invalid values, each with its problem."""
        if self.validity.is_complete:
            return {}
        from blastgit.workflow.former import former_rows

        former = dict.fromkeys(former_rows(self.revision.name, self.values), _FORMER)
        return {**self.validity.problems(self.values), **former}

    def is_as_before(self, path: str) -> bool:
        """Whether a value or file is the same in the previous revision: left over, or reproduced."""
        if self._before is None:
            return False
        ours, theirs = self.revision.dr.files, self._before.dr.files
        if path in ours:
            return ours[path] == theirs.get(path)
        return path in self.values and path not in self._differing

    @cached_property
    def _before(self) -> Revision | None:
        state = self.revision
        number = state.towards if isinstance(state, UnpublishedState) else state.number
        return None if not number else History(self._repository).tagged(state.name, number - 1)

    @cached_property
    def _differing(self) -> set[str]:
        """The values that differ from the previous revision by the rules."""
        from blastgit.revision.compare import compare
        from blastgit.revision.normalise import normalise

        assert self._before is not None
        rules = self._repository.rules
        return {change.path for change in compare(normalise(self._before.dr.export, rules), self._form, rules)}

    @cached_property
    def outdated(self) -> dict[str, Outdated]:
        """The values and files that are out of date, each with the reason."""
        if self.validity.is_complete:
            return {}
        paths = (*self.values, *self.revision.held)
        return {path: why for path in paths if (why := self.validity.outdated(path)) is not None}

    @cached_property
    def unmade(self) -> dict[str, str]:
        """The values and files that, at a marker, the run had not made yet, each with the reason."""
        if isinstance(self.revision, Revision):
            return {}
        paths = (*self.values, *self.revision.held)
        return {path: str(stage) for path in paths if (stage := self.validity.unmade(path)) is not None}

    @property
    def invalid(self) -> dict[str, Problem]:
        """The invalid values and files, each with its problem."""
        return {**self.invalid_values, **self.invalid_files}

    def findings(self, problems: Mapping[str, Problem] | None = None) -> list[Finding]:
        """Return these problems, by default all, grouped by reason."""
        return list(map(self._with_left, self._by_reason(self.invalid if problems is None else problems)))

    def _with_left(self, found: Finding) -> Finding:
        left = sum(map(self.is_as_before, (*found.values, *found.files)))
        return replace(found, left=left, before=None if self._before is None else str(self._before))

    def _by_reason(self, found: Mapping[str, Problem | Outdated]) -> list[Finding]:
        """Group values and files by reason."""
        groups: dict[str, list[str]] = {}
        for path, why in found.items():
            groups.setdefault(why.because, []).append(path)
        files = self.revision.held
        return [
            Finding(root, tuple(p for p in paths if p not in files), tuple(p for p in paths if p in files))
            for root, paths in groups.items()
        ]

    def out_of_date(self, paths: Iterable[str], what: str, then: str = "", *, strict: bool = False) -> OutOfDate:
        """Return which of some values and files are out of date, each with the reason.

        Args:
            paths: The values and files.
            what: What was requested, for the error message.
            then: A sentence on what was done anyway.
            strict: Whether to raise if one is out of date.

        Raises:
            InvalidData: One is out of date, and `strict` is true; the error says which, why, and what to do.
        """
        found = {path: self.outdated[path] for path in paths if path in self.outdated}
        late = OutOfDate({path: str(why) for path, why in found.items()}, self._by_reason(found))
        if found and strict:
            raise InvalidData(
                f"{what} is in part out of date: {'; '.join(map(str, late.findings))}. {then}"
                f"`blastgit plan {self.revision}` says what must run again; leave out --strict to get it anyway"
            )
        return late

    def allow(self, paths: Iterable[str], what: str, then: str = "", *, even_invalid: bool = False) -> Invalid:
        """Return which of some values and files are invalid, each with the reason, or raise.

        Args:
            paths: The values and files.
            what: What was requested, for the error message.
            then: A sentence on what was done anyway.
            even_invalid: Whether invalid ones are accepted.

        Raises:
            InvalidData: One is invalid, and `even_invalid` is false; the error says which, why, and what to do.
        """
        found = {path: problem for path in paths if (problem := self._problem(path)) is not None}
        if found and not even_invalid:
            raise InvalidData(
                f"{self._say(found, what)}. {then}--even-invalid gives it anyway; {self.revision.name}@"
                "latest-complete is the last revision without a failure, if there is one"
            )
        return Invalid({path: f"{why}{self._same(path)}" for path, why in found.items()}, self.findings(found))

    def _problem(self, path: str) -> Problem | None:
        return self.invalid_values.get(path) or self.validity.problem(path)

    def _same(self, path: str) -> str:
        return f", the same as in {self._before}" if self.is_as_before(path) else ""

    def to_json(self) -> dict[str, Any]:
        """Return each stage and each invalid or outdated value and file under stable keys."""
        invalid = {
            path: {**problem.to_json(), "as_before": self.is_as_before(path)} for path, problem in self.invalid.items()
        }
        return {
            "revision": str(self.revision), "complete": self.validity.is_complete, "status": self.validity.status,
            "stages": self.validity.to_json(),
            "invalid": invalid, "asked": self.revision.asked,
            "not_made": self.unmade,
            "out_of_date": {path: why.to_json() for path, why in self.outdated.items()},
        }  # fmt: skip

    def _say(self, found: Mapping[str, Problem], what: str) -> str:
        if len(found) > 1:
            return f"{what} is in part invalid: {'; '.join(map(str, self.findings(found)))}"
        [(path, problem)] = found.items()
        holds = "" if what.endswith(path) else f" holds {path}, which"
        return f"{what}{holds} is invalid: {problem}{self._same(path)}"


def _counted(paths: Iterable[str], noun: str) -> str:
    named = list(paths)
    if len(named) < 2:
        return "".join(named)
    groups = list(dict.fromkeys(map(_group, named)))
    more = f" and {len(groups) - _NAMED_AT_MOST} more" if len(groups) > _NAMED_AT_MOST else ""
    return f"{len(named)} {noun}s ({', '.join(groups[:_NAMED_AT_MOST])}{more})"


def _group(path: str) -> str:
    """Return the part of a path to show to people: `sed/global` of `sed/global.log_mass_50`."""
    table, _, rest = path.partition("/")
    if table in ("sed", "sfh"):
        return f"{table}/{rest.split('/')[0].split('.')[0]}"
    return table.split(".")[0]
