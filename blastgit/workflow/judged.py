"""The validity of a revision, reported in the words that `get`, `show` and `log` use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from blastgit.errors import InvalidData
from blastgit.repository.commits import Revision, Snapshot, UnpublishedState
from blastgit.repository.history import History
from blastgit.workflow.judging import validity_of
from blastgit.workflow.validity import (
    Outdated,
    Problem,
)

if TYPE_CHECKING:
    from blastgit.repository.base import Repository
    from blastgit.revision.document import Json
    from blastgit.revision.normalise import NaturalForm

_NAMED_AT_MOST = 4
_FORMER = Problem("stale", None, "the transient had another name then")


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
