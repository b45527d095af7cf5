"""The differences between two states: files and their contents, fields and their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from blastgit.content import Difference, describe
from blastgit.errors import DamagedData, Withdrawn
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision, Snapshot
from blastgit.repository.contents import content_tolerance, published_file
from blastgit.revision.compare import FieldChange, compare
from blastgit.revision.export import Export
from blastgit.revision.files import FileChange
from blastgit.revision.leftovers import is_leftover
from blastgit.revision.normalise import normalise
from blastgit.revision.reason import Changes
from blastgit.revision.redraws import drawn_again, find_redraws
from blastgit.revision.rules import Rules
from blastgit.workflow.patterns import Patterns


@dataclass(frozen=True)
class State:
    """One side of a comparison: a revision, the marker of a stage, or an unrecorded export, which has no files.

    Attributes:
        label: Its name for people.
        export: Its document.
        revision: The revision or marker, if it is one.
        within: Beginnings of the paths to compare; None for all.
    """

    label: str
    export: Export
    revision: Snapshot | None = None
    within: tuple[str, ...] | None = None

    @property
    def files(self) -> Mapping[str, str]:
        """The checksum of each file."""
        return {} if self.revision is None else self.revision.dr.files


@dataclass(frozen=True)
class FileDifference:
    """One file that differs.

    Attributes:
        change: The file, and the kind of change.
        difference: How its content differs, if it is on both sides and could be read.
        problem: Why the content could not be read, or None.
    """

    change: FileChange
    difference: Difference | None = None
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the difference under its stable keys."""
        content = None if self.difference is None else self.difference.to_json()
        return {**self.change.to_json(), "content": content, "problem": self.problem}


@dataclass(frozen=True)
class Diff:
    """All differences between two states.

    Attributes:
        old: The first state.
        new: The second.
        reason: A one-sentence summary.
        files: The files that differ.
        fields: The values that differ.
        not_compared: Paths that a marker lacks, or has from an earlier run, each with the reason.
    """

    old: State
    new: State
    reason: str
    files: list[FileDifference]
    fields: list[FieldChange]
    not_compared: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether the two are equal by the rules: no value differs, and no content but a derived file's."""
        return not self.fields and not any(file.change.counts for file in self.files)

    def to_json(self) -> dict[str, Any]:
        """Return the diff under its stable keys."""
        return {
            "old": self.old.label, "new": self.new.label, "equal": self.is_empty, "reason": self.reason,
            "files": [file.to_json() for file in self.files], "fields": [change.to_json() for change in self.fields],
            "not_compared": dict(self.not_compared),
        }  # fmt: skip


def diff(repository: Repository | None, old: State, new: State, rules: Rules) -> Diff:
    """Compare two states.

    Args:
        repository: The data repo, for contents; None if neither state is a revision.
        old: The first state.
        new: The second.
        rules: How to compare.

    Raises:
        InvalidExport: A document refers to rows that it does not have.
    """
    forms = normalise(old.export, rules), normalise(new.export, rules)
    shared = Patterns((*(old.within or ()), *(new.within or ())))
    is_meant = shared.match if shared.texts else lambda _: True
    aside = {} if repository is None else {**_older(repository, old), **_older(repository, new)}
    fields = [change for change in compare(*forms, rules) if change.path not in aside and is_meant(change.path)]
    files = (
        []
        if repository is None or old.revision is None or new.revision is None
        else [
            each
            for each in _files(repository, old, new, rules)
            if each.change.path not in aside and is_meant(each.change.path)
        ]
    )
    redrawn = drawn_again(find_redraws(*forms, fields, rules), [], rules)
    changes = Changes(fields, [file.change for file in files], redrawn)
    return Diff(old, new, changes.reason(rules), files, fields, aside)


def _older(repository: Repository, state: State) -> dict[str, str]:
    """Return what the state at a marker has from an earlier run: it was not made yet, or its stage failed."""
    if state.revision is None or isinstance(state.revision, Revision):
        return {}
    from blastgit.workflow.judged import ValidityReport

    judged = ValidityReport(repository, state.revision)
    invalid = {path: str(problem) for path, problem in judged.invalid.items() if problem.state != "unfinished"}
    return {path: f"{state.label}: {why}" for path, why in {**invalid, **judged.unmade}.items()}


def _files(repository: Repository, old: State, new: State, rules: Rules) -> list[FileDifference]:
    assert old.revision is not None
    assert new.revision is not None
    found = []
    with TemporaryDirectory(prefix="blastgit-") as folder:
        for path in sorted(old.files.keys() | new.files.keys()):
            derived = rules.is_derived(path)
            if path not in new.files or path not in old.files:
                change = "added" if path in new.files else "removed"
                # an old revision may still have leftovers of other programs, which are ignored now
                found.append(FileDifference(FileChange(path, change, derived=derived or is_leftover(path))))
            elif old.files[path] != new.files[path]:
                found.append(_describe(repository, path, (old.revision, new.revision), Path(folder), derived=derived))
    return found


def _describe(
    repository: Repository, path: str, sides: tuple[Snapshot, Snapshot], folder: Path, *, derived: bool
) -> FileDifference:
    try:
        before, after = (published_file(repository, side, path, folder) for side in sides)
    except (DamagedData, Withdrawn) as error:
        return FileDifference(FileChange(path, "changed", derived=derived), problem=str(error))
    difference = describe(path, before, after, content_tolerance(repository))
    equal = difference.raw is None and not difference.parts
    return FileDifference(
        FileChange(path, "content-equal" if equal else "changed", difference.note, derived), difference
    )
