"""Deciding whether a state is a new revision: by values and contents, not by bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from blastgit.errors import DamagedData, Withdrawn
from blastgit.repository.base import Repository
from blastgit.repository.commits import Revision, Snapshot
from blastgit.repository.contents import content_tolerance, published_file
from blastgit.revision.compare import FieldChange, compare
from blastgit.revision.digest import science_digest
from blastgit.revision.export import Export, is_same_run
from blastgit.revision.field_types import check_changes, check_form
from blastgit.revision.files import FileChange
from blastgit.revision.leftovers import is_leftover
from blastgit.revision.normalise import NaturalForm, normalise
from blastgit.revision.reason import Changes
from blastgit.revision.redraws import Redraw, drawn_again, find_redraws, sigmas
from blastgit.revision.rules import Rules
from blastgit.store.hashing import Checksums
from blastgit.store.intake import Intake


@dataclass(frozen=True)
class Decision:
    """The result of comparing a state with the latest revision.

    Attributes:
        latest: The revision that it was compared with, or None if it is the first.
        changes: What differs.
        reason: Why it is new, or why not, in a sentence.
        sha256: The SHA-256 of every file as it would be published, by path: content-equal files keep their bytes.
        incoming: The files whose bytes must go into the store.
        form: The natural form of the state.
        rules: The rules of the comparison.
        is_new: Whether it makes a new revision.
        is_same_export: Whether it was recorded before: the same export, or another one of the same run.
        is_fork: Whether `latest` belongs to another line, from which this one will fork.
    """

    latest: Revision | None
    changes: Changes
    reason: str
    sha256: Mapping[str, str]
    incoming: list[str]
    form: NaturalForm
    rules: Rules
    is_new: bool
    is_same_export: bool = False
    is_fork: bool = False

    @property
    def number(self) -> int:
        """The number of the revision that this state is, or would be."""
        if self.latest is None or (self.is_fork and self.is_new):
            return 0
        return self.latest.number + self.is_new

    @property
    def digest(self) -> str:
        """The Science-Digest of the state, computed lazily: most states equal a published one and never need it."""
        return science_digest(self.form, self.sha256, self.rules)


@dataclass(frozen=True)
class Candidate:
    """An incoming state, read and hashed.

    Attributes:
        export: Its document.
        form: The document's natural form.
        intake: Its files.
        sha256: Their checksums, by path.
    """

    export: Export
    form: NaturalForm
    intake: Intake
    sha256: Mapping[str, str]


def decide(repository: Repository, export: Export, intake: Intake, latest: Revision | None) -> Decision:
    """Compare a state with the latest revision.

    Raises:
        InvalidInput: The export or a file cannot be recorded.
        DamagedData: The latest revision cannot be read back.
    """
    rules = repository.rules
    form = normalise(export, rules)
    if latest is None:
        _ = form.canonical  # compute it while the files are still being read
    else:
        intake.recognise(lambda: _published(latest))
    state = Candidate(export, form, intake, intake.hash_all())
    return _first(state, rules) if latest is None else _compare(repository, state, latest)


def _published(latest: Revision) -> dict[str, Checksums]:
    pointers = latest.pointers
    return {path: Checksums(pointer.md5, latest.sha256(path), pointer.size) for path, pointer in pointers.items()}


def _first(state: Candidate, rules: Rules) -> Decision:
    check_form(state.form, rules)
    count = len(state.sha256)
    changes = Changes([], [FileChange(path, "added", derived=rules.is_derived(path)) for path in state.sha256])
    by = f", by {state.export.app_version}" if state.export.app_version else ""
    reason = f"first revision, {count} file{'s' * (count != 1)}{by}"
    return Decision(None, changes, reason, state.sha256, list(state.sha256), state.form, rules, is_new=True)


def _same(state: Candidate, latest: Revision, changes: Changes, rules: Rules) -> Decision:
    reason = f"the values are those of revision {latest.number}"
    if changes.deviation is not None:
        reason += f", redrawn within {sigmas(changes.deviation)} sigma"
    second = int(state.export.time.timestamp())
    again = second == latest.commit.author.time and state.export.time == latest.dr.export.time
    again = again or is_same_run(latest.dr.export, state.export, rules.ignored_stages)
    return Decision(latest, changes, reason, state.sha256, [], state.form, rules, is_new=False, is_same_export=again)


def is_equal(repository: Repository, export: Export, intake: Intake, state: Snapshot) -> bool:
    """Whether an incoming state is equal to a recorded one by the rules.

    Raises:
        DamagedData: That state cannot be read back.
    """
    given = Candidate(export, normalise(export, repository.rules), intake, intake.hash_all())
    return _is_equal(repository, given, state)


def _changes(repository: Repository, state: Candidate, before: Snapshot) -> Changes:
    """Return what differs between an incoming state and a recorded one."""
    rules = repository.rules
    fields, redrawn = _differing_values(state, before, rules)
    check_changes(fields, rules)
    files = _differing_files(repository, state, before, tuple(redrawn))
    return Changes(fields, files, drawn_again(redrawn, files, rules))


def _compare(repository: Repository, state: Candidate, latest: Revision) -> Decision:
    rules, sha256 = repository.rules, state.sha256
    changes = _changes(repository, state, latest)
    if not changes.makes_revision:
        return _same(state, latest, changes, rules)
    from blastgit.recording.returns import earlier, find_equal, name_returned_images

    older, files = earlier(repository, latest), changes.files
    changes = replace(changes, files=name_returned_images(files, older, sha256))
    kept = {change.path for change in files if change.change == "content-equal"}
    published = {path: latest.sha256(path) if path in kept else value for path, value in sha256.items()}
    incoming = [change.path for change in files if change.change in ("added", "changed", "redrawn")]
    reason = changes.reason(rules)
    decision = Decision(latest, changes, reason, published, incoming, state.form, rules, is_new=True)
    if not older:
        return decision
    same_as = find_equal(older, decision.digest, lambda each: _is_equal(repository, state, each))
    if same_as is None:
        return decision
    return replace(decision, reason=f"{reason}; the values are those of revision {same_as} again")


def _is_equal(repository: Repository, state: Candidate, earlier: Snapshot) -> bool:
    """Whether a state would make no new revision after an earlier one; contents are only compared if values agree."""
    fields, redrawn = _differing_values(state, earlier, repository.rules)
    if Changes(fields, [], redrawn).makes_revision:
        return False
    return not any(change.counts for change in _differing_files(repository, state, earlier, tuple(redrawn)))


def _differing_values(
    state: Candidate, earlier: Snapshot, rules: Rules
) -> tuple[Sequence[FieldChange], Mapping[str, Redraw]]:
    """Return the values that differ, and the fits that are nevertheless equal within their own noise."""
    before = normalise(earlier.dr.export, rules)
    fields = compare(before, state.form, rules)
    return fields, find_redraws(before, state.form, fields, rules)


def _differing_files(
    repository: Repository, state: Candidate, revision: Snapshot, redrawn: tuple[str, ...] = ()
) -> list[FileChange]:
    look = _Look(repository, state.intake, revision, redrawn)
    return [look.by_content(change) for change in _by_checksum(revision, state.sha256, repository.rules)]


def _by_checksum(latest: Snapshot, sha256: Mapping[str, str], rules: Rules) -> list[FileChange]:
    changes = []
    for path in sorted(latest.dr.files.keys() | sha256.keys()):
        derived = rules.is_derived(path)
        if path not in sha256:
            gone = derived or is_leftover(path)  # published before such names were ignored
            changes.append(FileChange(path, "removed", derived=gone))
        elif path not in latest.dr.files:
            changes.append(FileChange(path, "added", derived=derived))
        elif latest.sha256(path) != sha256[path]:
            changes.append(FileChange(path, "changed", derived=derived))
    return changes


@dataclass(frozen=True)
class _Look:
    """Compares the contents of files whose checksums differ.

    Attributes:
        repository: The data repo.
        intake: The incoming files.
        latest: The revision or draft to compare with.
        redrawn: The scopes of the fits that are equal within their own noise.
    """

    repository: Repository
    intake: Intake
    latest: Snapshot
    redrawn: tuple[str, ...]

    def by_content(self, change: FileChange) -> FileChange:
        """Classify a changed file: different bytes may hold the same content, or other draws of the same fit."""
        path = change.path
        if change.change != "changed" or change.derived:
            return change
        try:
            old = published_file(self.repository, self.latest, path, self.intake.folder)
        except (DamagedData, Withdrawn) as error:
            return FileChange(path, "changed", f"compared by checksum only: {error}")
        from blastgit.content import describe, only_drawn, same

        new, tolerance = self.intake.source(path), content_tolerance(self.repository)
        verdict = same(path, old, new, tolerance)
        drawn = [array for scope in self.redrawn for array in self.repository.rules.drawn(path, scope)]
        if drawn and not verdict.equal and only_drawn(describe(path, old, new, tolerance), drawn):
            return FileChange(path, "redrawn", verdict.note)
        return FileChange(path, "content-equal" if verdict.equal else "changed", verdict.note)
